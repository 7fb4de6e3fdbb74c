// The outer reference: sum and XᵀX in C with OpenMP. A line on stdin, "do sum 1000 1" or
// "do gram 1000 8", is a piece of work; the answer on stdout is the seconds it took, or
// with "say" in place of "do" the sum, or the trace.
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static double *x;
static long held;

static void fill(long n) {
	if (n == held)
		return;
	free(x);
	x = malloc(n * sizeof *x);
	held = n;
	for (long i = 0; i < n; i++)
		x[i] = (double)(i * 2654435761u % 1000003) / 1000003;
}

static double sum(long n) {
	double s = 0;
#pragma omp parallel for simd reduction(+ : s)
	for (long i = 0; i < n; i++)
		s += x[i];
	return s;
}

static double gram(long r, long c) {
	double *g = calloc(c * c, sizeof *g);
#pragma omp parallel
	{
		double *part = calloc(c * c, sizeof *part);
#pragma omp for
		for (long i = 0; i < r; i++) {
			const double *row = x + i * c;
			for (long j = 0; j < c; j++) {
				const double v = row[j];
				double *out = part + j * c;
				for (long k = j; k < c; k++)
					out[k] += v * row[k];
			}
		}
#pragma omp critical
		for (long i = 0; i < c * c; i++)
			g[i] += part[i];
		free(part);
	}
	double trace = 0;
	for (long i = 0; i < c; i++)
		trace += g[i * c + i];
	free(g);
	return trace;
}

int main(void) {
	char verb[16], work[16];
	long r, c;
	while (scanf("%15s %15s %ld %ld", verb, work, &r, &c) == 4) {
		fill(r * c);
		double start = omp_get_wtime();
		volatile double result = strcmp(work, "gram") == 0 ? gram(r, c) : sum(r * c);
		double took = omp_get_wtime() - start;
		if (strcmp(verb, "say") == 0)
			printf("%.6e\n", result);
		else
			printf("%.9f\n", took);
		fflush(stdout);
	}
	return 0;
}
