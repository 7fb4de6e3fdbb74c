// Package web shows one cache as pages for a browser: its functions, their calls, one
// call with its arrays, what was hit and saved, and what takes how much room.
//
// A look changes nothing: the cache it is shown from is open read-only, and what may
// be removed is removed through another one. The pages need no script and nothing from
// elsewhere. What they show may come from somebody else, so names and values are text
// and nothing more; what a request names is parsed as a key, a digest or a number, and
// reaches the cache by the names that package memo makes of it.
//
// A cache of many calls is listed by the names of its records, which tell the key and
// when it was last used. Only the records of the page that is shown are read. What they
// alone tell, such as sizes, is remembered once read, of so many calls at most
// (catalogue); text is looked for by reading them. Whatever is listed, no more than a
// page of it is kept (window).
package web
