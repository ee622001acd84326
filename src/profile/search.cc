#include "profile/search.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <memory>
#include <set>

#include "profile/trusted_file.h"
#include "profile/values.h"

namespace sbox {
namespace {

constexpr std::string_view kProfile = ".profile";
constexpr std::string_view kDropIns = ".profile.d";
constexpr std::string_view kDropIn = ".conf";
constexpr char kBlocks[] = "lib";

// Sorted. `directory` stays the caller's.
std::vector<std::string> names_in(const UniqueFd& directory, const std::string& shown) {
  // A description of its own: the caller's may be read more than once.
  UniqueFd again(openat(directory.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  std::unique_ptr<DIR, int (*)(DIR*)> stream(again ? fdopendir(again.get()) : nullptr, closedir);
  if (!stream) throw system_error("directory of profiles", errno).at({shown, 0});
  (void)again.release();
  std::vector<std::string> names;
  errno = 0;
  while (const dirent* entry = readdir(stream.get())) names.emplace_back(entry->d_name);
  if (errno != 0) throw system_error("directory of profiles", errno).at({shown, 0});
  std::sort(names.begin(), names.end());
  return names;
}

// Of `names`, what ends with `suffix`, without it.
std::vector<std::string> stems(const std::vector<std::string>& names, std::string_view suffix) {
  std::vector<std::string> found;
  for (const std::string& name : names) {
    if (!name.ends_with(suffix)) continue;
    std::string stem = name.substr(0, name.size() - suffix.size());
    if (is_profile_name(stem)) found.push_back(std::move(stem));
  }
  return found;
}

std::vector<std::string> drop_in_names(const UniqueFd& directory, const std::string& shown) {
  std::vector<std::string> names = names_in(directory, shown);
  std::erase_if(names, [](const std::string& name) { return name.starts_with('.') || !name.ends_with(kDropIn); });
  return names;
}

bool is_name_byte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("._+@-").find(c) != std::string_view::npos;
}

bool has_word(std::string_view text, std::string_view word) {
  for (size_t at = 0; (at = text.find(word, at)) != std::string_view::npos; ++at) {
    bool begins = at == 0 || !is_name_byte(text[at - 1]);
    size_t end = at + word.size();
    if (begins && (end == text.size() || !is_name_byte(text[end]))) return true;
  }
  return false;
}

// Whether `word` stands in a regular file. Trust does not matter yet: a file that is used is read again with care.
bool file_mentions(int directory, const std::string& name, std::string_view word) {
  UniqueFd fd(openat(directory, name.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  struct stat status;
  if (!fd || fstat(fd.get(), &status) != 0 || !S_ISREG(status.st_mode)) return false;
  std::string content(std::min(static_cast<size_t>(status.st_size), kLargestProfile), '\0');
  ssize_t got = read(fd.get(), content.data(), content.size());
  return got > 0 && has_word(std::string_view(content).substr(0, static_cast<size_t>(got)), word);
}

bool is_directory(int folder, const std::string& name) {
  struct stat status;
  return fstatat(folder, name.c_str(), &status, 0) == 0 && S_ISDIR(status.st_mode);
}

bool is_note_or_backup(const std::string& name) {
  return name.starts_with('.') || name.starts_with("README") || name.ends_with('~');
}

std::vector<std::string> sorted(const std::set<std::string>& names) { return {names.begin(), names.end()}; }

}  // namespace

Search::Search(const SearchPath& path) {
  for (const std::string& directory : path.directories) {
    std::optional<UniqueFd> fd = open_trusted_directory(AT_FDCWD, directory, directory);
    if (fd) directories_.push_back({directory, std::move(*fd), std::nullopt});
  }
}

std::optional<ProfileFile> Search::find(const std::string& name) {
  size_t slash = name.find('/');
  std::string file = name.substr(slash == std::string::npos ? 0 : slash + 1) + std::string(kProfile);
  for (Directory& directory : directories_) {
    std::string shown = directory.path + "/" + name + std::string(kProfile);
    const UniqueFd* folder = &directory.fd;
    if (slash != std::string::npos) {
      std::optional<UniqueFd>& blocks = directory.blocks;
      if (!blocks) blocks = open_trusted_directory(directory.fd.get(), kBlocks, directory.path + "/" + kBlocks);
      if (!blocks) continue;
      folder = &*blocks;
    }
    std::optional<std::string> content = read_trusted_file(folder->get(), file, shown);
    if (content) return ProfileFile{std::move(shown), std::move(*content)};
  }
  return std::nullopt;
}

bool Search::has(const std::string& name) const {
  struct stat status;
  return std::any_of(directories_.begin(), directories_.end(), [&](const Directory& directory) {
    return fstatat(directory.fd.get(), (name + std::string(kProfile)).c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0;
  });
}

std::vector<ProfileFile> Search::drop_ins(const std::string& name) const {
  struct Place {
    const UniqueFd* folder;
    std::string path;
  };
  std::vector<UniqueFd> folders;
  folders.reserve(directories_.size());
  std::map<std::string, Place> places;
  for (const Directory& directory : directories_) {
    std::string folder_name = name + std::string(kDropIns);
    std::string path = directory.path + "/" + folder_name;
    std::optional<UniqueFd> folder = open_trusted_directory(directory.fd.get(), folder_name, path);
    if (!folder) continue;
    folders.push_back(std::move(*folder));
    for (const std::string& file : drop_in_names(folders.back(), path)) {
      if (!is_profile_name(file)) {
        throw Error("profile", "the file has no proper name")
            .at({path + "/" + file, 0})
            .hint("use letters, digits and . _ + @ -");
      }
      places.try_emplace(file, Place{&folders.back(), path + "/" + file});
    }
  }
  std::vector<ProfileFile> found;
  for (const auto& [file, place] : places) {
    std::optional<std::string> content = read_trusted_file(place.folder->get(), file, place.path);
    if (!content) throw Error("profile", "went away while it was read").at({place.path, 0});
    found.push_back({place.path, std::move(*content)});
  }
  return found;
}

std::vector<std::string> Search::profiles() const {
  std::set<std::string> names;
  for (const Directory& directory : directories_) {
    for (std::string& name : stems(names_in(directory.fd, directory.path), kProfile)) names.insert(std::move(name));
  }
  return sorted(names);
}

std::vector<std::string> Search::blocks() const {
  std::set<std::string> names;
  for (const Directory& directory : directories_) {
    std::string path = directory.path + "/" + kBlocks;
    std::optional<UniqueFd> folder = open_trusted_directory(directory.fd.get(), kBlocks, path);
    if (!folder) continue;
    for (const std::string& name : stems(names_in(*folder, path), kProfile)) names.insert("lib/" + name);
  }
  return sorted(names);
}

std::vector<std::string> Search::mentioning(std::string_view word) const {
  std::vector<std::string> order;  // names of profiles, each where it is found first
  std::set<std::string> seen, mentioned;
  for (const Directory& directory : directories_) {
    std::vector<std::string> entries = names_in(directory.fd, directory.path);
    for (const std::string& name : stems(entries, kProfile)) {
      if (!seen.insert(name).second) continue;
      order.push_back(name);
      if (file_mentions(directory.fd.get(), name + std::string(kProfile), word)) mentioned.insert(name);
    }
    for (const std::string& name : stems(entries, kDropIns)) {
      UniqueFd folder(
          openat(directory.fd.get(), (name + std::string(kDropIns)).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
      if (!folder) continue;
      for (const std::string& file : drop_in_names(folder, directory.path)) {
        if (file_mentions(folder.get(), file, word)) mentioned.insert(name);
      }
    }
  }
  std::erase_if(order, [&](const std::string& name) { return !mentioned.contains(name); });
  return order;
}

// `prefix`: "" for profiles, "lib/" for blocks.
void Search::add_strays(const Directory& directory, const std::string& prefix, std::vector<Stray>& found) const {
  std::string path = directory.path + (prefix.empty() ? "" : "/" + std::string(kBlocks));
  std::optional<UniqueFd> folder = open_trusted_directory(directory.fd.get(), prefix.empty() ? "." : kBlocks, path);
  if (!folder) return;
  for (const std::string& entry : names_in(*folder, path)) {
    bool is_known = entry.ends_with(kProfile) || (prefix.empty() && entry == kBlocks);
    if (is_known || is_note_or_backup(entry)) continue;
    std::string place = path + "/" + entry;
    if (!entry.ends_with(kDropIns)) {
      bool is_other = is_directory(folder->get(), entry) && !entry.ends_with(".d");
      if (!is_other) found.push_back({Stray::Kind::profile, place, ""});
      continue;
    }
    std::string name = prefix + entry.substr(0, entry.size() - kDropIns.size());
    if (!has(name)) found.push_back({Stray::Kind::drop_ins, place, name});
    std::optional<UniqueFd> drop_ins = open_trusted_directory(folder->get(), entry, place);
    if (!drop_ins) continue;
    for (const std::string& file : names_in(*drop_ins, place)) {
      if (is_note_or_backup(file) || file.ends_with(kDropIn)) continue;
      found.push_back({Stray::Kind::drop_in, place + "/" + file, name});
    }
  }
}

std::vector<Stray> Search::strays() const {
  std::vector<Stray> found;
  for (const Directory& directory : directories_) {
    for (const char* prefix : {"", "lib/"}) add_strays(directory, prefix, found);
  }
  return found;
}

std::vector<std::string> Search::all_files() const {
  std::vector<std::string> files;
  auto add_folder = [&](const Directory& directory, const std::string& name, const auto& self) -> void {
    std::string path = directory.path + (name.empty() ? "" : "/" + name);
    std::optional<UniqueFd> folder = open_trusted_directory(directory.fd.get(), name.empty() ? "." : name, path);
    if (!folder) return;
    bool is_drop_ins = name.ends_with(kDropIns);
    for (const std::string& entry : names_in(*folder, path)) {
      if (entry.starts_with('.')) continue;
      if (entry.ends_with(is_drop_ins ? kDropIn : kProfile))
        files.push_back(path + "/" + entry);
      else if (!is_drop_ins && entry.ends_with(kDropIns))
        self(directory, (name.empty() ? "" : name + "/") + entry, self);
      else if (name.empty() && entry == "lib")
        self(directory, "lib", self);
    }
  };
  for (const Directory& directory : directories_) add_folder(directory, "", add_folder);
  return files;
}

}  // namespace sbox
