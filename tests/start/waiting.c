/* SPDX-License-Identifier: Apache-2.0 */
/* Part of every test program: threads that wait sleep, as when CTest runs it. By default those of
   GNU's OpenMP library spin, and where other programs use the processors too, each end of a loop
   then takes up to a time slice: tests by hand took a hundred times as long. The library reads its
   setting before anything else, so the program restarts itself with it. */
#include <features.h>
#include <stdlib.h>
#include <unistd.h>

#if defined(__GLIBC__) /* gives constructors the arguments of main */
__attribute__((constructor)) static void wait_asleep(int argc, char **argv)
{
    (void)argc;
    if (getenv("OMP_WAIT_POLICY") || getenv("GOMP_SPINCOUNT")) return;
    if (setenv("OMP_WAIT_POLICY", "passive", 0) != 0) return;
    execv("/proc/self/exe", argv); /* returns only on failure, which is harmless */
}
#endif
