// No exception may cross into Spar: `guarded` turns one into a status and a sentence.
#pragma once
#include <exception>
#include <new>

#include "spar_plugin.h"

template <typename Body>
spar_status guarded(const spar_host *host, Body body) noexcept {
  try {
    body();
    return SPAR_OK;
  } catch (const std::bad_alloc &) {
    host->set_error(host, "@NAME@: out of memory");
    return SPAR_E_NOMEM;
  } catch (const std::exception &error) {
    host->set_error(host, error.what());
    return SPAR_E_INVALID;
  } catch (...) {
    host->set_error(host, "@NAME@: an exception of unknown type");
    return SPAR_E_INTERNAL;
  }
}

// Structs that may grow are copied, never read in place.
template <typename T>
T adopt(const T *foreign) noexcept {
  T own;
  spar_adopt(&own, sizeof own, foreign);
  return own;
}
