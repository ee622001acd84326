// Small files of the host, as they are outside of the sandbox.
#pragma once

#include <string>

namespace sbox {

// The first 64 KiB of the regular file. False when it cannot be read.
bool read_host_file(const std::string& path, std::string& content);

}  // namespace sbox
