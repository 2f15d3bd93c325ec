# SPDX-License-Identifier: Apache-2.0
# What `make install` puts where: library, headers, command, man page, and the files by which
# pkg-config and CMake find them. All of it may be moved as a whole afterwards.
include(CMakePackageConfigHelpers)

file(RELATIVE_PATH SUMI_PREFIX_FROM_PKGCONFIG
  /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
string(REGEX REPLACE "/$" "" SUMI_PREFIX_FROM_PKGCONFIG ${SUMI_PREFIX_FROM_PKGCONFIG})
# What a program that takes in the static library has to name besides.
list(JOIN DEPENDENCIES_LDFLAGS " " SUMI_PRIVATE_LIBS)
set(SUMI_PRIVATE_LIBS "${SUMI_PRIVATE_LIBS} -ldnnl ${OpenMP_C_FLAGS} -pthread -lm")
configure_file(cmake/sumi.pc.in sumi.pc @ONLY)
configure_package_config_file(cmake/sumiConfig.cmake.in sumiConfig.cmake
  INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/sumi)
write_basic_package_version_file(sumiConfigVersion.cmake COMPATIBILITY SameMinorVersion)

install(TARGETS sumi EXPORT sumiTargets LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
if(SUMI_STATIC)
  set(WHEN_STATIC)
else()
  set(WHEN_STATIC EXCLUDE_FROM_ALL) # cmake --install BUILD --component static
endif()
separate_arguments(STATIC_NEEDS UNIX_COMMAND "${SUMI_PRIVATE_LIBS}")
foreach(NEED ${STATIC_NEEDS})
  target_link_libraries(sumi_static INTERFACE $<INSTALL_INTERFACE:${NEED}>)
endforeach()
install(TARGETS sumi_static EXPORT sumiStaticTargets
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT static ${WHEN_STATIC})
install(EXPORT sumiStaticTargets NAMESPACE sumi:: DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/sumi
  COMPONENT static ${WHEN_STATIC})
install(FILES include/sumi.h include/sumi_graph.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(FILES docs/sumi.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
install(FILES tool/completions/sumi.bash
  DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions RENAME sumi)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/sumi.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
install(EXPORT sumiTargets NAMESPACE sumi:: DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/sumi)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/sumiConfig.cmake
              ${CMAKE_CURRENT_BINARY_DIR}/sumiConfigVersion.cmake
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/sumi)

if(TARGET sumi_command)
  # The command finds the library beside it, also before ldconfig has run.
  file(RELATIVE_PATH LIBRARY_FROM_COMMAND /${CMAKE_INSTALL_BINDIR} /${CMAKE_INSTALL_LIBDIR})
  set_target_properties(sumi_command PROPERTIES INSTALL_RPATH "$ORIGIN/${LIBRARY_FROM_COMMAND}")
  install(TARGETS sumi_command RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()
