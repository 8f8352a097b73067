# SPDX-License-Identifier: Apache-2.0
#
# The Debian packages: one for each component of install.cmake. In a tree that was configured for them,
#
#   cmake -S . -B build-package -G Ninja -DCMAKE_INSTALL_PREFIX=/usr && cmake --build build-package --target installed
#   cd build-package && cpack
#
# makes them; sh spec/run.sh --packages does so, installs them in a clean Debian, and uses them there.

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME mesos-lua)
set(CPACK_PACKAGE_VENDOR mesos-lua)
if(NOT CPACK_PACKAGE_CONTACT)
  set(CPACK_PACKAGE_CONTACT "The mesos-lua authors <mesos-lua@example.org>") # -DCPACK_PACKAGE_CONTACT=... replaces it
endif()
set(CPACK_PACKAGE_HOMEPAGE_URL https://mesos.apache.org/documentation/latest/scheduler-http-api/)
set(CPACK_PACKAGE_DIRECTORY ${CMAKE_BINARY_DIR}/packages)
set(CPACK_PACKAGING_INSTALL_PREFIX ${CMAKE_INSTALL_PREFIX})
set(CPACK_STRIP_FILES ON)
set(CPACK_CMAKE_BUILD "") # what is packaged has been built
set(CPACK_COMPONENTS_ALL program library development lua)
set(CPACK_COMPONENTS_GROUPING IGNORE)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS_PRIVATE_DIRS ${CMAKE_BINARY_DIR})
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS ON) # and a call of ldconfig
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS_POLICY ">=")
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)

set(CPACK_DEBIAN_PROGRAM_PACKAGE_NAME ${PROGRAM_PACKAGE})
set(CPACK_DEBIAN_PROGRAM_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PROGRAM_PACKAGE_RECOMMENDS "ca-certificates, lua-mesos")
set(CPACK_DEBIAN_PROGRAM_PACKAGE_SUGGESTS "libedit2, podman")
set(CPACK_DEBIAN_PROGRAM_DESCRIPTION "runs Apache Mesos frameworks that are written in Lua
A process in C keeps up the conversation with the Mesos master, over the v1
scheduler HTTP API; a Lua script decides what to launch where, and can be
edited while it runs. A local cluster is inside for the first steps.")

set(CPACK_DEBIAN_LIBRARY_PACKAGE_NAME ${LIBRARY_PACKAGE})
set(CPACK_DEBIAN_LIBRARY_PACKAGE_SECTION libs)
set(CPACK_DEBIAN_LIBRARY_DESCRIPTION "Apache Mesos frameworks in C, shared library
The scheduler and executor drivers of Apache Mesos for C programs, and the
host of Lua scripts that mesos-lua is, for programs that embed it.")

set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_NAME ${DEVELOPMENT_PACKAGE})
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_DEPENDS "${LIBRARY_PACKAGE} (= ${PROJECT_VERSION}), libprotobuf-c-dev")
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_RECOMMENDS "liblua5.4-dev, libuv1-dev")
set(CPACK_DEBIAN_DEVELOPMENT_DESCRIPTION "Apache Mesos frameworks in C, headers
The headers, and what pkg-config and CMake read, to build with libmesos-lua.")

set(CPACK_DEBIAN_LUA_PACKAGE_NAME ${LUA_PACKAGE})
set(CPACK_DEBIAN_LUA_PACKAGE_SECTION interpreters)
set(CPACK_DEBIAN_LUA_PACKAGE_SUGGESTS "lua-busted, lua5.4")
set(CPACK_DEBIAN_LUA_DESCRIPTION "Apache Mesos frameworks in Lua, module for tests
The module mesos for lua5.4 and busted, with what tests of frameworks need,
and its interface in LuaCATS annotations, for editors with a Lua language
server.")

include(CPack)
