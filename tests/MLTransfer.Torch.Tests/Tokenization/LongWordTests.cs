using System.Diagnostics;
using MLTransfer.Torch.Tokenization;
using Xunit;

namespace MLTransfer.Torch.Tests.Tokenization;

public sealed class LongWordTests
{
    private const int Length = 1_000_000;

    [Theory]
    [InlineData("llama3")]
    [InlineData("deepseek-llm")]
    [InlineData("o200k")]
    [InlineData("mistral-v3")]
    [InlineData("openai-gpt")]
    [InlineData("t5")]
    [InlineData("wordpiece-custom")]
    [InlineData("wordlevel")]
    [InlineData("tiktoken")]
    [InlineData("sentencepiece/bpe-no-prefix")]
    [InlineData("sentencepiece/unigram-nfkc-cf")]
    public void A_word_of_a_million_characters_takes_seconds(string folder)
    {
        TextTokenizer tokenizer = TextTokenizer.Load(ReferenceArchive.Files(folder));
        tokenizer.Encode("to compile it");

        foreach (string part in (string[])["x", "the", "日", " ", "1"])
        {
            string word = string.Concat(Enumerable.Repeat(part, Length / part.Length)) + "y";
            long start = Stopwatch.GetTimestamp();
            tokenizer.Encode(word);

            // Quadratic time would be hours. On a free core it is a second or two; this machine may be busy.
            Assert.True(
                Stopwatch.GetElapsedTime(start) < TimeSpan.FromSeconds(60), $"{folder}, '{part}': {Stopwatch.GetElapsedTime(start)}");
        }
    }

    [Fact]
    public void A_word_of_a_million_characters_takes_memory_in_proportion_to_its_length()
    {
        TextTokenizer tokenizer = ReferenceArchive.Alone("mistral-v3");
        long Allocated(int length)
        {
            string word = new('x', length);
            tokenizer.Encode(word);
            long before = GC.GetAllocatedBytesForCurrentThread();
            tokenizer.Encode(word);
            return GC.GetAllocatedBytesForCurrentThread() - before;
        }

        long tenth = Allocated(Length / 10);
        Assert.InRange(Allocated(Length), 0, 20 * tenth + (1 << 20));
        Assert.InRange(tenth, 0, 100L * Length / 10 + (1 << 20));
    }
}
