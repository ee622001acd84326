#include <gtest/gtest.h>

#include "plan/decode.h"
#include "plan/encode.h"

namespace sbox {
namespace {

JoinRequest full_request() {
  return {{"firefox", "", "a b"}, "xterm", {{"/home/u/page", 1, 2}, {"/b", 3, 4}}, {{"/home/u", 5, 6}}};
}

TEST(Request, ComesBackAsItWas) {
  for (const JoinRequest& request : {full_request(), JoinRequest{}}) {
    JoinRequest again;
    ASSERT_TRUE(decode_request(encode_request(request), again));
    EXPECT_EQ(again, request);
  }
}

TEST(Request, CutShortOrWithMoreBehindItIsRefused) {
  std::string bytes = encode_request(full_request());
  JoinRequest request;
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(decode_request(std::string_view(bytes).substr(0, size), request)) << size;
  }
  EXPECT_FALSE(decode_request(bytes + '\0', request));
}

TEST(Request, WithANulInATextIsRefused) {
  JoinRequest request = full_request(), again;
  request.argv[0] = std::string("a\0b", 3);
  EXPECT_FALSE(decode_request(encode_request(request), again));
}

TEST(Request, WithAHugeCountAllocatesNothing) {
  JoinRequest request;
  EXPECT_FALSE(decode_request("\xff\xff\xff\xff", request));
}

}  // namespace
}  // namespace sbox
