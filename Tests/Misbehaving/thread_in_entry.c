/* Starts a thread while it is only listed. */
#include <pthread.h>
#include <unistd.h>

#include "honest.h"

static void *sleep_on(void *x) {
  sleep(100);
  return x;
}

OBJECTIVE(honest_create, honest_destroy, honest_evaluate) {
  static pthread_t thread;
  if (!thread) pthread_create(&thread, NULL, sleep_on, NULL);
  return &plugin;
}
