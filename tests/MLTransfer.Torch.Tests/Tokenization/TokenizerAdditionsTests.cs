using System.Text;
using MLTransfer.Torch.Tokenization;
using Xunit;

namespace MLTransfer.Torch.Tests.Tokenization;

/// <summary>Further tokens in a tokenizer's files.</summary>
public class TokenizerAdditionsTests
{
    private const string Text = "The old <mars>man <venus>";

    [Theory]
    [InlineData("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json")]
    [InlineData("tokenizer.json")]
    [InlineData("vocab.json", "merges.txt", "tokenizer_config.json")]
    [InlineData("vocab.json", "merges.txt")]
    public void New_tokens_are_found_in_texts_and_all_others_keep_their_ids(params string[] names)
    {
        var plain = TextTokenizer.Load(
            names.ToDictionary(name => name, name => File.ReadAllBytes(RepositoryFiles.Data($"gpt2-tiny/{name}"))));
        var size = plain.VocabularySize;

        var added = plain.WithTokens(["<mars>", "<venus>", "<mars>"]);

        Assert.Equal(size + 2, added.VocabularySize);
        Assert.Equal([.. plain.Encode("The old "), size, .. plain.Encode("man "), size + 1], added.Encode(Text));
        Assert.Equal(Text, added.Decode(added.Encode(Text)));
        Assert.Equal(plain.Encode("Any other text."), added.Encode("Any other text."));
        Assert.Equal(plain.EndOfSequenceId, added.EndOfSequenceId);
        Assert.DoesNotContain(size, added.SpecialTokenIds);

        // The files say it: others read the same tokenizer.
        Assert.Equal(added.Encode(Text), TextTokenizer.Load(added.Files).Encode(Text));
        Assert.Same(added, added.WithTokens(["<venus>"]));
        Assert.Equal(size + 2, added.WithTokens(["<moon>"]).TokenToId("<moon>"));
    }

    [Fact]
    public void Special_tokens_that_no_list_has_keep_the_ids_that_they_got()
    {
        var files = new Dictionary<string, byte[]>
        {
            ["vocab.json"] = File.ReadAllBytes(RepositoryFiles.Data("gpt2-tiny/vocab.json")),
            ["merges.txt"] = File.ReadAllBytes(RepositoryFiles.Data("gpt2-tiny/merges.txt")),
            ["special_tokens_map.json"] = Encoding.UTF8.GetBytes("""{"pad_token": "<pad>"}"""),
        };
        var plain = TextTokenizer.Load(files);
        var pad = plain.PaddingId;
        Assert.Equal(plain.VocabularySize - 1, pad);

        var added = plain.WithTokens(["<mars>"]);

        Assert.Equal(pad, added.PaddingId);
        Assert.Equal(pad + 1, added.TokenToId("<mars>"));
        Assert.Contains(pad!.Value, added.SpecialTokenIds);
    }

    [Fact]
    public void An_empty_token_is_refused()
    {
        var tokenizer = TextTokenizer.Load(RepositoryFiles.Data("gpt2-tiny"));
        Assert.Throws<ArgumentException>(() => tokenizer.WithTokens([""]));
    }
}
