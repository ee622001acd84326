#include "log/notebook.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <map>

#include "base/unique_fd.h"

namespace sbox {
namespace {

class NoteBooks : public ::testing::Test {
 protected:
  void SetUp() override {
    int ends[2];
    ASSERT_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
    ours.reset(ends[0]);
    theirs.reset(ends[1]);
  }
  // What has come, the last of each place.
  std::map<uint32_t, Note> told() {
    Note note;
    while (recv(ours.get(), &note, sizeof note, MSG_DONTWAIT) == sizeof note) {
      last[note.place] = note;
      ++packets;
    }
    return last;
  }
  uint64_t sum() {
    uint64_t all = 0;
    for (const auto& [place, note] : told()) all += note.count;
    return all;
  }

  UniqueFd ours, theirs;
  std::map<uint32_t, Note> last;
  unsigned packets = 0;
};

TEST_F(NoteBooks, TellTheFirstAtOnceAndTheRestSeldom) {
  NoteBook notes(theirs.get());
  for (int i = 0; i < 1000; ++i) notes.add(NoteKind::bus_call, 1, {"org.example", "a", "b", "/"});
  EXPECT_EQ(told().at(1).count, 512U);
  EXPECT_EQ(packets, 10U);
  notes.close();
  EXPECT_EQ(told().at(1).count, 1000U);
  EXPECT_EQ(std::string(last[1].words.data(), 18), std::string("org.example\0a\0b\0/\0", 18));
  char byte = 0;
  EXPECT_EQ(recv(ours.get(), &byte, 1, MSG_DONTWAIT), 0);
}

TEST_F(NoteBooks, KeepFewOfManyAndCountAll) {
  NoteBook notes(theirs.get());
  for (int i = 0; i < 1000; ++i)
    notes.add(NoteKind::bus_call, 1, {"org.example.X" + std::to_string(i / 20), std::to_string(i)});
  notes.close();
  EXPECT_EQ(sum(), 1000U);
  EXPECT_EQ(last.size(), kMostNotes);
  EXPECT_GT(last.at(0).count, 500U);
  EXPECT_EQ(last.at(0).kind, NoteKind::none);
}

TEST_F(NoteBooks, KeepNotMoreThanSomeOfOneThing) {
  NoteBook notes(theirs.get());
  for (int i = 0; i < 100; ++i) notes.add(NoteKind::bus_call, 1, {"org.example", std::to_string(i)});
  notes.close();
  EXPECT_EQ(sum(), 100U);
  EXPECT_EQ(last.size(), kMostNotesOfOneThing + 1);
}

TEST_F(NoteBooks, TakeWordsOfAnyLength) {
  NoteBook notes(theirs.get());
  std::string endless(10'000, 'x');
  notes.add(NoteKind::bus_call, 1, {endless, endless, "c"});
  notes.add(NoteKind::bus_call, 1, {std::string(479, 'y'), "b"});
  notes.add(NoteKind::bus_call, 1, {std::string(478, 'z'), "b"});
  notes.close();
  ASSERT_EQ(told().size(), 3U);
  for (const auto& [place, note] : last) EXPECT_EQ(note.words.back(), '\0') << place;
}

TEST_F(NoteBooks, DoNotWaitForWhoDoesNotListen) {
  NoteBook notes(theirs.get());
  for (int i = 0; i < 100'000; ++i) notes.add(NoteKind::bus_call, 1, {std::to_string(i % 100)});
  EXPECT_GT(sum(), 0U);
}

}  // namespace
}  // namespace sbox
