# SPDX-License-Identifier: Apache-2.0
# Cross compiles for 64-bit Arm and runs the results by qemu's user mode; the libraries come from the
# folder SUMI_SYSROOT, which scripts/portability fills.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_TRY_COMPILE_PLATFORM_VARIABLES SUMI_SYSROOT)
set(CMAKE_SYSROOT ${SUMI_SYSROOT})
set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-aarch64-static -L ${SUMI_SYSROOT})
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_LIBRARY_ARCHITECTURE aarch64-linux-gnu)
set(ENV{PKG_CONFIG_SYSROOT_DIR} ${SUMI_SYSROOT})
set(ENV{PKG_CONFIG_LIBDIR}
    ${SUMI_SYSROOT}/usr/lib/aarch64-linux-gnu/pkgconfig:${SUMI_SYSROOT}/usr/share/pkgconfig)
