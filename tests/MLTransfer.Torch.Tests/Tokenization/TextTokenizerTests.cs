using System.Text;
using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;
using MLTransfer.Torch.Tokenization;
using Xunit;

namespace MLTransfer.Torch.Tests.Tokenization;

public sealed class TextTokenizerTests
{
    private static readonly TextTokenizer s_tokenizer = TokenizerData.Tokenizer;

    [Property(MaxTest = 1000)]
    public void Decoding_gives_back_any_text_with_unpaired_surrogates_replaced(string? text)
    {
        string valid = Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text ?? ""));

        Assert.Equal(valid, s_tokenizer.Decode(s_tokenizer.Encode(text ?? "")));
        Assert.Equal(s_tokenizer.Encode(valid), s_tokenizer.Encode(text ?? ""));
    }

    [Property(MaxTest = 1000)]
    public Property Decoding_one_by_one_gives_whole_characters_that_join_to_the_text() => Prop.ForAll(
        Gen.Choose(0, s_tokenizer.VocabularySize - 1).ArrayOf().ToArbitrary(), ids =>
        {
            IncrementalDecoder decoder = s_tokenizer.CreateIncrementalDecoder();
            List<string> pieces = [.. ids.Select(decoder.Append), decoder.Flush()];

            Assert.Equal(s_tokenizer.Decode(ids), string.Concat(pieces));
            Assert.All(pieces, piece => Assert.Equal(piece, Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(piece))));
            Assert.Equal(string.Empty, decoder.Flush());
        });

    [Fact]
    public void A_character_appears_with_its_last_byte_and_a_flushed_decoder_starts_anew()
    {
        int[] robot = s_tokenizer.Encode("🤖");
        IncrementalDecoder decoder = s_tokenizer.CreateIncrementalDecoder();

        Assert.Equal(["", "", "", "🤖"], robot.Select(decoder.Append));
        decoder.Append(robot[0]);
        Assert.Equal("\uFFFD", decoder.Flush());
        Assert.Equal(["", "", "", "🤖"], robot.Select(decoder.Append));
    }

    [Fact]
    public void Properties_tell_what_the_files_say()
    {
        Assert.Equal(700, s_tokenizer.VocabularySize);
        Assert.Equal(0, s_tokenizer.BeginningOfSequenceId);
        Assert.Equal(0, s_tokenizer.EndOfSequenceId);
        Assert.Equal(0, s_tokenizer.UnknownId);
        Assert.Null(s_tokenizer.PaddingId);
        Assert.Equal([0], s_tokenizer.SpecialTokenIds);
        Assert.Equal(int.MaxValue, s_tokenizer.ModelMaximumLength);
        Assert.Equal("<|endoftext|>", s_tokenizer.IdToToken(0));
        Assert.Equal(221, s_tokenizer.TokenToId("Ġ"));
        Assert.Null(s_tokenizer.TokenToId("no such token"));
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(700)]
    [InlineData(int.MaxValue)]
    [InlineData(int.MinValue)]
    public void An_id_outside_the_vocabulary_is_refused_with_the_id_and_the_size(int id)
    {
        foreach (Action use in (Action[])[
            () => s_tokenizer.Decode([1, id]), () => s_tokenizer.IdToToken(id), () => s_tokenizer.CreateIncrementalDecoder().Append(id)])
        {
            string message = Assert.Throws<ArgumentOutOfRangeException>(use).Message;
            Assert.Contains($"Token id {id} ", message);
            Assert.Contains("700 tokens", message);
        }
    }

    [Fact]
    public void Special_tokens_within_a_text_are_skipped_on_request()
    {
        int[] ids = s_tokenizer.Encode("one<|endoftext|> two");

        Assert.Equal("one<|endoftext|> two", s_tokenizer.Decode(ids));
        Assert.Equal("one two", s_tokenizer.Decode(ids, skipSpecialTokens: true));
    }

    [Fact]
    public void Saved_files_are_the_loaded_ones_byte_for_byte()
    {
        string folder = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        try
        {
            s_tokenizer.Save(folder);

            string[] names = ["merges.txt", "special_tokens_map.json", "tokenizer.json", "tokenizer_config.json", "vocab.json"];
            Assert.Equal(names, Directory.GetFiles(folder).Select(Path.GetFileName).Order());
            Assert.All(names, name => Assert.Equal(TokenizerData.Bytes(name), File.ReadAllBytes(Path.Combine(folder, name))));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public void Files_in_memory_make_the_same_tokenizer()
    {
        var files = new Dictionary<string, byte[]>(s_tokenizer.Files) { ["model.safetensors"] = [1, 2, 3] };

        TextTokenizer copy = TextTokenizer.Load(files);

        Assert.Equal(s_tokenizer.Files.Keys, copy.Files.Keys);
        Assert.Equal(s_tokenizer.Encode("Once upon a time"), copy.Encode("Once upon a time"));
    }

    [Fact]
    public void Many_threads_get_the_ids_that_one_gets()
    {
        TextTokenizer shared = TextTokenizer.Load(TokenizerData.Folder);
        string[] paragraphs = TokenizerData.Excerpt.Split('\n');
        int[][] expected = [.. paragraphs.Select(text => s_tokenizer.Encode(text))];

        Parallel.For(0, 8 * paragraphs.Length, new ParallelOptions { MaxDegreeOfParallelism = 8 }, index =>
        {
            int paragraph = index * 7919 % paragraphs.Length;
            Assert.Equal(expected[paragraph], shared.Encode(paragraphs[paragraph]));
            Assert.Equal(paragraphs[paragraph], shared.Decode(expected[paragraph]));
        });
    }

    [Fact]
    public void The_words_that_are_remembered_are_bounded()
    {
        var tokenizer = TextTokenizer.Load(TokenizerData.Folder);
        string first = string.Join(' ', Enumerable.Range(0, 1000).Select(number => $"w{number:x}"));
        int[] expected = tokenizer.Encode(first);

        for (int block = 0; block < 20; block++)
        {
            tokenizer.Encode(string.Concat(Enumerable.Range(0, 10_000).Select(number => $" {(char)('a' + block)}{number}")));
            Assert.InRange(tokenizer.CachedWords, 0, 65_536);
        }

        Assert.Equal(expected, tokenizer.Encode(first));
    }
}
