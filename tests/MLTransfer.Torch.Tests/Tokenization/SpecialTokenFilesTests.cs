using System.Text.Json.Nodes;
using MLTransfer.Torch.Tokenization;
using Xunit;

namespace MLTransfer.Torch.Tests.Tokenization;

public sealed class SpecialTokenFilesTests
{
    [Fact]
    public void The_configuration_names_roles_limits_and_added_tokens_with_their_flags()
    {
        TextTokenizer tokenizer = Load(("tokenizer_config.json", new
        {
            model_max_length = 256,
            pad_token = "<pad>",
            unk_token = (string?)null,
            added_tokens_decoder = new Dictionary<string, object>
            {
                ["700"] =
                    new { content = "<pad>", lstrip = false, rstrip = false, single_word = false, normalized = false, special = true },
                ["701"] =
                    new { content = "<mask>", lstrip = true, rstrip = false, single_word = false, normalized = false, special = false },
            },
        }));

        Assert.Equal((702, 700, 256), (tokenizer.VocabularySize, tokenizer.PaddingId, tokenizer.ModelMaximumLength));
        Assert.Null(tokenizer.UnknownId);
        Assert.Equal(0, tokenizer.EndOfSequenceId);
        Assert.Equal([0, 700], tokenizer.SpecialTokenIds.Order());
        Assert.Equal([65, 701, 66], tokenizer.Encode("a  <mask>b"));
    }

    [Fact]
    public void Files_of_the_time_before_added_tokens_decoder_are_read()
    {
        TextTokenizer tokenizer = Load(
            ("added_tokens.json", new Dictionary<string, int> { ["<pad>"] = 700, ["<x>"] = 701 }),
            ("special_tokens_map.json", new
            {
                eos_token = "<|endoftext|>",
                pad_token = new { content = "<pad>", lstrip = true, rstrip = false, single_word = false, normalized = true },
                additional_special_tokens = new[] { "<new>" },
            }),
            ("tokenizer_config.json", new { pad_token = "!" }));

        Assert.Equal(700, tokenizer.PaddingId);
        Assert.Equal(702, tokenizer.TokenToId("<new>"));
        Assert.Equal([0, 700, 702], tokenizer.SpecialTokenIds.Order());
        Assert.Equal([65, 700, 701, 702], tokenizer.Encode("a <pad><x><new>"));
    }

    [Fact]
    public void A_special_token_that_no_file_gives_an_id_gets_the_next_one()
    {
        TextTokenizer tokenizer = Load(("tokenizer_config.json", new { pad_token = "<pad>", cls_token = "<cls>" }));

        Assert.Equal(700, tokenizer.PaddingId);
        Assert.Equal(701, tokenizer.TokenToId("<cls>"));
        Assert.Equal([700, 701], tokenizer.Encode("<pad><cls>"));
    }

    [Fact]
    public void The_configuration_decides_on_the_prefix_space()
    {
        var files = TokenizerData.Files("tokenizer.json");
        files["tokenizer_config.json"] = TokenizerData.Json(new { add_prefix_space = true });
        TextTokenizer tokenizer = TextTokenizer.Load(files);

        Assert.Equal(TokenizerData.Tokenizer.Encode(" leading"), tokenizer.Encode("leading"));
        Assert.Equal(TokenizerData.Tokenizer.Encode(" leading"), tokenizer.Encode(" leading"));
        Assert.Empty(tokenizer.Encode(""));
    }

    [Fact]
    public void A_word_that_is_a_token_is_that_token_where_merges_are_ignored()
    {
        TextTokenizer Loaded(bool ignoreMerges) => TokenizerData.LoadChanged(root =>
        {
            root["model"]!["ignore_merges"] = ignoreMerges;
            root["model"]!["vocab"]!["xqzx"] = 700;
        });

        Assert.Equal([700], Loaded(true).Encode("xqzx"));
        Assert.Equal(TokenizerData.Tokenizer.Encode("xqzx"), Loaded(false).Encode("xqzx"));
    }

    [Fact]
    public void Merges_written_as_one_text_each_are_read()
    {
        TextTokenizer tokenizer = TokenizerData.LoadChanged(root => root["model"]!["merges"] = new JsonArray(
            [.. root["model"]!["merges"]!.AsArray().Select(pair => JsonValue.Create($"{pair![0]} {pair[1]}"))]));

        Assert.Equal(TokenizerData.Tokenizer.Encode(TokenizerData.Excerpt), tokenizer.Encode(TokenizerData.Excerpt));
    }

    private static TextTokenizer Load(params (string Name, object Content)[] extra)
    {
        Dictionary<string, byte[]> files = TokenizerData.Files("vocab.json", "merges.txt");
        foreach ((string name, object content) in extra)
            files[name] = TokenizerData.Json(content);
        return TextTokenizer.Load(files);
    }
}
