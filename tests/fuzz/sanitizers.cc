// What the sanitizers of all targets are set to. ASAN_OPTIONS of the environment goes before it.

// Freed memory is held back for four megabytes of others, which is many inputs: with the 256 of the default each
// allocation would be a page that was never touched. Two frames are stored of each allocation and free.
extern "C" const char* __asan_default_options() { return "quarantine_size_mb=4:malloc_context_size=2"; }
