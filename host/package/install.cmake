# SPDX-License-Identifier: Apache-2.0
#
# What `cmake --install` puts where, in four components that are Debian's packages, too (packages.cmake): the program,
# the library, what it takes to build with it, and what Lua programs and editors read. The target `installed` has all
# that is installed and nothing else.

include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

# The names of the packages by component.
set(PROGRAM_PACKAGE mesos-lua)
set(LIBRARY_PACKAGE libmesos-lua${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})
set(DEVELOPMENT_PACKAGE libmesos-lua-dev)
set(LUA_PACKAGE lua-mesos)

set(PACKAGE_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/mesos-lua)
file(RELATIVE_PATH PC_PREFIX /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
configure_file(host/package/mesos-lua.pc.in package/mesos-lua.pc @ONLY)
configure_package_config_file(host/package/mesos-lua-config.cmake.in package/mesos-lua-config.cmake
  INSTALL_DESTINATION ${PACKAGE_DIR})
write_basic_package_version_file(package/mesos-lua-config-version.cmake COMPATIBILITY SameMinorVersion)

# Each package says under which conditions it may be copied.
foreach(COMPONENT IN ITEMS program library development lua)
  string(TOUPPER ${COMPONENT} UPPER)
  install(FILES host/package/copyright DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/${${UPPER}_PACKAGE} COMPONENT ${COMPONENT})
endforeach()

add_custom_target(installed DEPENDS mesos-lua mesos-lua-host mesos-lua-shared mesos-lua-module)

# ---- the program ----

install(TARGETS mesos-lua COMPONENT program)
install(TARGETS mesos-lua-host DESTINATION ${CMAKE_INSTALL_LIBEXECDIR}/mesos-lua COMPONENT program)

install(FILES host/package/mesos-lua@.service DESTINATION lib/systemd/system COMPONENT program)

# ---- what is made from the program's tables and from the declarations ----

set(DOCUMENTS ${CMAKE_BINARY_DIR}/documents)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS CHANGELOG.md)
file(STRINGS CHANGELOG.md RELEASE REGEX "^## ${PROJECT_VERSION}, ")
string(REGEX MATCH "[0-9]+-[0-9]+-[0-9]+" RELEASE_DATE "${RELEASE}")
if(NOT RELEASE_DATE)
  message(FATAL_ERROR "CHANGELOG.md has no line '## ${PROJECT_VERSION}, YYYY-MM-DD'")
endif()
file(MAKE_DIRECTORY ${DOCUMENTS}/man1 ${DOCUMENTS}/completion)
add_custom_command(
  OUTPUT ${DOCUMENTS}/completion/mesos-lua
  COMMAND mesos-lua --tables > ${DOCUMENTS}/tables
  COMMAND ${LUA_INTERPRETER} ${CMAKE_SOURCE_DIR}/host/package/documents.lua ${DOCUMENTS}/tables ${PROJECT_VERSION}
    ${RELEASE_DATE} ${DOCUMENTS}
  DEPENDS mesos-lua mesos-lua-host host/package/documents.lua host/package/tables.lua host/package/man.lua
    host/package/completion.lua
  COMMENT "Making the man pages and the completion")

file(GLOB DECLARED CONFIGURE_DEPENDS RELATIVE ${CMAKE_SOURCE_DIR} lua/mesos/*.lua)
file(GLOB EXAMPLES CONFIGURE_DEPENDS RELATIVE ${CMAKE_SOURCE_DIR} examples/*.lua examples/sim/*.lua)
set(REFERENCE_SOURCES lua/meta/mesos.lua ${DECLARED} lua/meta/sim.lua lua/meta/messages.lua ${EXAMPLES})
add_custom_command(
  OUTPUT ${DOCUMENTS}/reference.md
  COMMAND ${LUA_INTERPRETER} ${CMAKE_SOURCE_DIR}/host/package/reference.lua ${CMAKE_SOURCE_DIR} ${PROJECT_VERSION}
    ${REFERENCE_SOURCES} > ${DOCUMENTS}/reference.md
  DEPENDS host/package/reference.lua host/package/annotations.lua ${REFERENCE_SOURCES}
  COMMENT "Making the reference")
add_custom_target(documents ALL DEPENDS ${DOCUMENTS}/completion/mesos-lua ${DOCUMENTS}/reference.md)
add_dependencies(installed documents)

install(DIRECTORY ${DOCUMENTS}/man1 DESTINATION ${CMAKE_INSTALL_MANDIR} COMPONENT program)
install(FILES ${DOCUMENTS}/completion/mesos-lua DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions
  COMPONENT program)
install(FILES ${DOCUMENTS}/completion/_mesos-lua DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/vendor-completions
  COMPONENT program)
install(FILES ${DOCUMENTS}/completion/mesos-lua.fish DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d
  COMPONENT program)
install(FILES README.md CHANGELOG.md ${DOCUMENTS}/reference.md DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/mesos-lua
  COMPONENT program)
install(DIRECTORY lua/guide DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/mesos-lua/lua COMPONENT program)
install(DIRECTORY examples DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/mesos-lua COMPONENT program)

# ---- the library ----

configure_file(host/package/ldconfig.cmake.in package/ldconfig.cmake @ONLY)
install(TARGETS mesos-lua-shared EXPORT mesos-lua-targets
  LIBRARY COMPONENT library NAMELINK_COMPONENT development)
install(SCRIPT ${CMAKE_BINARY_DIR}/package/ldconfig.cmake COMPONENT library)

# ---- what it takes to build with it ----

install(DIRECTORY host/include/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/mesos-lua COMPONENT development
  FILES_MATCHING PATTERN *.h)
install(DIRECTORY ${GENERATED}/mesos DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/mesos-lua COMPONENT development
  FILES_MATCHING PATTERN *.pb-c.h)
install(FILES ${CMAKE_BINARY_DIR}/package/mesos-lua.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig
  COMPONENT development)
install(FILES ${CMAKE_BINARY_DIR}/package/mesos-lua-config.cmake
  ${CMAKE_BINARY_DIR}/package/mesos-lua-config-version.cmake DESTINATION ${PACKAGE_DIR} COMPONENT development)
install(EXPORT mesos-lua-targets NAMESPACE mesos-lua:: DESTINATION ${PACKAGE_DIR} COMPONENT development)

# ---- what Lua programs and editors read ----

install(TARGETS mesos-lua-module DESTINATION lib/lua/5.4 COMPONENT lua) # where the Lua of the same prefix looks
# For editors: the program has the library inside.
install(DIRECTORY lua/mesos lua/meta DESTINATION ${CMAKE_INSTALL_DATADIR}/mesos-lua/lua COMPONENT lua FILES_MATCHING PATTERN *.lua)
