package joblib

import "unicode/utf8"

// maxDepth bounds the nesting of what is converted.
const maxDepth = 1000

// converter makes Go's values of those of the machine.
type converter struct {
	done map[any]any // of lists, tuples and dicts; nil while one is being made
}

func (c *converter) value(v any, depth int) (any, error) {
	if depth > maxDepth {
		return nil, refused("values nested more than %d levels deep", maxDepth)
	}
	switch v := v.(type) {
	case *list:
		return c.once(v, func() (any, error) { return c.values(v.items, depth) })
	case *tuple:
		return c.once(v, func() (any, error) { return c.values(v.items, depth) })
	case *dict:
		return c.once(v, func() (any, error) { return c.items(v.items, depth) })
	case oldString:
		if utf8.Valid(v) {
			return string(v), nil
		}
		return []byte(v), nil
	case *pending:
		if v.value == nil {
			return nil, damaged("an array without elements")
		}
		return v.value, nil
	case *dtype:
		return nil, refused("a dtype by itself, %s", v.descr())
	case global:
		return nil, refused("%q of %q by itself", v.name, v.module)
	}
	return v, nil
}

// once converts what may be referred to several times, and by itself.
func (c *converter) once(v any, convert func() (any, error)) (any, error) {
	if made, ok := c.done[v]; ok {
		if made == nil {
			return nil, refused("a list or dict that holds itself")
		}
		return made, nil
	}
	c.done[v] = nil
	made, err := convert()
	if err == nil {
		c.done[v] = made
	}
	return made, err
}

func (c *converter) values(items []any, depth int) (any, error) {
	made := make([]any, len(items))
	for i, item := range items {
		var err error
		if made[i], err = c.value(item, depth+1); err != nil {
			return nil, err
		}
	}
	return made, nil
}

// items makes a map of a dict whose keys are all text, else a list of pairs.
func (c *converter) items(items []Pair, depth int) (any, error) {
	pairs := make([]Pair, len(items))
	named := make(map[string]any, len(items))
	for i, item := range items {
		key, err := c.value(item.Key, depth+1)
		if err != nil {
			return nil, err
		}
		value, err := c.value(item.Value, depth+1)
		if err != nil {
			return nil, err
		}
		pairs[i] = Pair{key, value}
		if name, ok := key.(string); ok && named != nil {
			named[name] = value
		} else {
			named = nil
		}
	}
	if named != nil {
		return named, nil
	}
	return pairs, nil
}
