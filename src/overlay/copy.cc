#include "overlay/copy.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <map>
#include <string>
#include <utility>

#include "base/error.h"
#include "base/strings.h"
#include "base/unique_fd.h"
#include "overlay/files.h"
#include "overlay/scan.h"

namespace sbox {
namespace {

class Copier {
 public:
  explicit Copier(int top) : top_(top) {}

  void copy_directory(int from, int to, const std::string& path, int depth);
  Copied result() const { return result_; }

 private:
  void copy(int from, int to, const std::string& name, const std::string& path, int depth);
  void enter(int from, int to, const std::string& name, const std::string& path, int depth);
  void copy_file(int from, int to, const std::string& name, const std::string& path);
  bool link_to_first(const struct stat& status, int to, const std::string& name, const std::string& path);

  int top_;                                               // of the copy
  std::map<std::pair<dev_t, ino_t>, std::string> first_;  // of what has several names: where its copy is, below the top
  Copied result_;
};

void require(bool done, const std::string& path) {
  if (!done) throw system_error(quote("~/" + path), errno);
}

Error refusal(const std::string& path, const char* why) {
  return Error(quote("~/" + path), why).hint("discard it, or change it in the sandbox");
}

void Copier::copy_directory(int from, int to, const std::string& path, int depth) {
  for (const std::string& name : names_in(from)) copy(from, to, name, path.empty() ? name : path + "/" + name, depth);
  struct stat status {};
  require(fstat(from, &status) == 0 && copy_attributes(from, to), path);
  if (is_opaque(from)) require(make_opaque(to), path);
  timespec times[] = {status.st_atim, status.st_mtim};
  require(fchmod(to, plain_mode(status.st_mode)) == 0 && futimens(to, times) == 0, path);
}

void Copier::copy(int from, int to, const std::string& name, const std::string& path, int depth) {
  struct stat status = status_of(from, name);
  if (kind_of(status.st_mode) == FileKind::directory) return enter(from, to, name, path, depth);
  ++result_.files;
  if (link_to_first(status, to, name, path)) return;
  switch (kind_of(status.st_mode)) {
    case FileKind::file:
      return copy_file(from, to, name, path);
    case FileKind::symlink:
      require(symlinkat(link_target(from, name).c_str(), to, name.c_str()) == 0, path);
      break;
    case FileKind::character_device:
      if (!is_whiteout(status)) throw refusal(path, "it is a device");
      require(mknodat(to, name.c_str(), S_IFCHR, 0) == 0, path);
      break;
    case FileKind::fifo:
    case FileKind::socket:
      require(mknodat(to, name.c_str(), (status.st_mode & S_IFMT) | plain_mode(status.st_mode), 0) == 0, path);
      break;
    default:
      throw refusal(path, "it is a device");
  }
  timespec times[] = {status.st_atim, status.st_mtim};
  require(utimensat(to, name.c_str(), times, AT_SYMLINK_NOFOLLOW) == 0, path);
}

void Copier::enter(int from, int to, const std::string& name, const std::string& path, int depth) {
  if (depth >= kDeepestScanned) throw refusal(path, "it lies too deep");
  UniqueFd inner = open_to_list(from, name);
  if (!inner) throw refusal(path, "it cannot be looked into");
  require(mkdirat(to, name.c_str(), S_IRWXU) == 0, path);
  UniqueFd made = open_beneath(to, name, O_RDONLY | O_DIRECTORY);
  require(made.ok(), path);
  copy_directory(inner.get(), made.get(), path, depth + 1);
}

// What is gone has several names too: the kernel makes one such file and links it.
bool Copier::link_to_first(const struct stat& status, int to, const std::string& name, const std::string& path) {
  if (status.st_nlink < 2) return false;
  auto [first, is_first] = first_.try_emplace({status.st_dev, status.st_ino}, path);
  if (is_first) return false;
  if (linkat(top_, first->second.c_str(), to, name.c_str(), 0) == 0) return true;
  // As many as the file system allows: the next ones are names of another.
  require(errno == EMLINK, path);
  first->second = path;
  return false;
}

void Copier::copy_file(int from, int to, const std::string& name, const std::string& path) {
  UniqueFd source = open_regular(from, name);
  struct stat status {};
  if (!source || fstat(source.get(), &status) != 0) throw refusal(path, "it cannot be read");
  UniqueFd file(openat(to, name.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, S_IRUSR | S_IWUSR));
  require(file && copy_content(source.get(), file.get()), path);
  timespec times[] = {status.st_atim, status.st_mtim};
  require(fchmod(file.get(), plain_mode(status.st_mode)) == 0 && futimens(file.get(), times) == 0, path);
  result_.bytes += static_cast<uint64_t>(status.st_size);
}

void count(int directory, int depth, Copied& sum) {
  for (const std::string& name : names_in(directory)) {
    struct stat status = status_of(directory, name);
    if (kind_of(status.st_mode) != FileKind::directory) ++sum.files;
    if (kind_of(status.st_mode) == FileKind::file) sum.bytes += static_cast<uint64_t>(status.st_size);
    bool enters = kind_of(status.st_mode) == FileKind::directory && depth < kDeepestScanned;
    UniqueFd inner = enters ? open_to_list(directory, name) : UniqueFd();
    if (inner) count(inner.get(), depth + 1, sum);
  }
}

}  // namespace

Copied count_layer(int from) {
  Copied sum;
  count(from, 0, sum);
  return sum;
}

Copied copy_layer(int from, int to) {
  Copier copier(to);
  copier.copy_directory(from, to, "", 0);
  return copier.result();
}

}  // namespace sbox
