# SPDX-License-Identifier: Apache-2.0
# Parts of the library that can be left out, and with them the libraries they need. Where a part is
# left out, one file that refuses with a sentence (src/**/*_left_out.c) stands in for its sources.
# Gives PARTS_MODULES (of pkg-config) and PARTS_DEFINITIONS, and takes sources out of SOURCES.

set(PARTS_MODULES)
set(PARTS_DEFINITIONS)

# sumi_part(NAME "what it does" "modules of pkg-config" "regex of its sources" stand-in)
function(sumi_part name meaning modules pattern stand_in)
  option(SUMI_${name} "${meaning} (needs ${modules})" ON)
  if(SUMI_${name})
    list(APPEND PARTS_MODULES ${modules})
    list(APPEND PARTS_DEFINITIONS SUMI_WITH_${name})
    list(FILTER SOURCES EXCLUDE REGEX "/src/${stand_in}$")
  else()
    list(FILTER SOURCES EXCLUDE REGEX "/src/${pattern}$")
    list(APPEND SOURCES ${CMAKE_CURRENT_SOURCE_DIR}/src/${stand_in})
    list(REMOVE_DUPLICATES SOURCES)
  endif()
  set(PARTS_MODULES ${PARTS_MODULES} PARENT_SCOPE)
  set(PARTS_DEFINITIONS ${PARTS_DEFINITIONS} PARENT_SCOPE)
  set(SOURCES ${SOURCES} PARENT_SCOPE)
endfunction()

sumi_part(PNG "Read and write PNG pictures" spng "files/png\\.c" files/png_left_out.c)
sumi_part(JPEG "Read JPEG pictures" libturbojpeg "files/jpeg\\.c" files/jpeg_left_out.c)
sumi_part(DRAW "Draw grids, curves and tables" cairo "draw/[a-z_]*\\.c" draw/draw_left_out.c)
sumi_part(DOWNLOAD "Fetch the usual data sets" "libcurl;nettle"
  "files/(fetch|fetch_sets|clip_vocabulary|emoji|download|checksum)\\.c" files/fetch_left_out.c)
sumi_part(ARCHIVE "Unpack archives of data sets" libarchive "files/archive\\.c"
  files/archive_left_out.c)
sumi_part(TEXT "Read texts: tokenizers and prompts" libutf8proc "text/unicode\\.c"
  text/unicode_left_out.c)
if(SUMI_DRAW AND NOT SUMI_PNG)
  message(FATAL_ERROR "SUMI_DRAW writes its drawings as PNG: set SUMI_PNG=ON, or SUMI_DRAW=OFF too")
endif()
