using System.Text;
using MLTransfer.Torch.Tokenization;
using Xunit;

namespace MLTransfer.Torch.Tests.Tokenization;

/// <summary>CLIP's tokenizer, from its release's merges alone and from Hugging Face's two files.</summary>
public class ClipMergesTests
{
    private static readonly string[] s_merges = ["r e", "re d</w>", "d o", "do g</w>", "t h", "th e</w>"];

    [Fact]
    public void Captions_are_the_ids_that_follow_from_the_merges_without_tokens_around_them()
    {
        var tokenizer = Load("bpe_simple_vocab_16e6.txt", string.Join('\n', s_merges.Prepend("\"merges\" #version: 0.2")));
        // '!' is 0, a letter its place among the printable characters, one that ends a word 256 more; merges follow
        Assert.Equal([512 + 5, 512 + 1, 512 + 3, Letter('s') + 256, 0 + 256], tokenizer.Encode("  The RED\n dog s!"));
        Assert.Equal(256 + 256 + 6 + 2, tokenizer.VocabularySize);
        Assert.Equal([512 + 6, 512 + 5, 512 + 7], tokenizer.Encode("<|startoftext|>the<|endoftext|>"));
        Assert.Equal("the red dog", tokenizer.Decode(tokenizer.Encode("The  red dog")));
        Assert.Equal([.. Encoding.UTF8.GetBytes("\u00e9").Select((b, i) => Letter((char)b) + 256 * i)], tokenizer.Encode("\u00c9"));
    }

    [Fact]
    public void Two_files_of_the_same_tokens_give_the_same_ids_between_special_ones()
    {
        var merges = Load("bpe_simple_vocab_16e6.txt", string.Join('\n', s_merges.Prepend("first")));
        var vocabulary = Enumerable.Range(0, merges.VocabularySize).ToDictionary(merges.IdToToken, id => id);
        var files = new Dictionary<string, byte[]>
        {
            ["vocab.json"] = System.Text.Json.JsonSerializer.SerializeToUtf8Bytes(vocabulary),
            ["merges.txt"] = Encoding.UTF8.GetBytes(string.Join('\n', s_merges.Prepend("#version: 0.2"))),
            ["tokenizer_config.json"] = """{ "tokenizer_class": "CLIPTokenizer" }"""u8.ToArray(),
        };
        int[] own = merges.Encode("the red dog");
        Assert.Equal([512 + 6, .. own, 512 + 7], TextTokenizer.Load(files).Encode("The red DOG"));
        Assert.Equal(own, TextTokenizer.Load(files).Encode("The red DOG", addSpecialTokens: false));
    }

    [Fact]
    public void A_line_that_is_no_merge_is_refused_by_file()
    {
        var error = Assert.Throws<InvalidDataException>(() => Load("bpe_simple_vocab_16e6.txt", "first\nthree parts here"));
        Assert.Contains("bpe_simple_vocab_16e6.txt", error.Message, StringComparison.Ordinal);
    }

    private static int Letter(char letter) => letter switch
    {
        <= '~' => letter - '!',
        <= '\u00ac' => letter - '\u00a1' + 94,
        _ => letter - '\u00ae' + 106,
    };

    private static TextTokenizer Load(string name, string content) =>
        TextTokenizer.Load(new Dictionary<string, byte[]> { [name] = Encoding.UTF8.GetBytes(content) });
}
