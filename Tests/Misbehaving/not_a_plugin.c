/* A library that has nothing to do with Spar. */
__attribute__((visibility("default"))) int add(int a, int b) { return a + b; }
