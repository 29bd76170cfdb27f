using System.Text;
using System.Text.Json.Nodes;
using MLTransfer.Torch.Tokenization;
using Xunit;

namespace MLTransfer.Torch.Tests.Tokenization;

/// <summary>Captions as a DALL-E mini reads them.</summary>
public class DalleMiniTokenizerTests
{
    private static readonly string s_folder = RepositoryFiles.Data("images/min-dalle-tiny");

    [Fact]
    public void Ids_equal_the_reference_and_stay_so_through_the_tokenizers_files()
    {
        var tokenizer = TextTokenizer.Load(s_folder);
        using var folder = new TemporaryFolder();
        tokenizer.Save(folder.Path);
        var saved = TextTokenizer.Load(folder.Path);
        var cases = JsonNode.Parse(File.ReadAllText(Path.Combine(s_folder, "tokenization.json")))!.AsArray();
        Assert.NotEmpty(cases);
        foreach (var one in cases)
        {
            var text = one!["text"]!.GetValue<string>();
            int[] expected = [.. one["ids"]!.AsArray().Select(id => id!.GetValue<int>())];
            Assert.Equal(expected, tokenizer.Encode(text));
            Assert.Equal(expected, saved.Encode(text));
            Assert.Equal(expected, tokenizer.EncodeText(text).Ids);
        }

        Assert.Equal((0, 2, 3, 1), (tokenizer.BeginningOfSequenceId, tokenizer.EndOfSequenceId, tokenizer.UnknownId, tokenizer.PaddingId));
    }

    [Fact]
    public void Names_of_emoji_equal_the_reference()
    {
        var tokenizer = OfAscii();
        foreach (var one in JsonNode.Parse(File.ReadAllText(RepositoryFiles.Data("tokenization/emoji-names.json")))!.AsArray())
        {
            var expected = string.Join(' ', one!["expected"]!.GetValue<string>().Split(' ', StringSplitOptions.RemoveEmptyEntries));
            var text = one["text"]!.GetValue<string>();
            Assert.Equal(expected, tokenizer.Decode(tokenizer.Encode(text), skipSpecialTokens: true));
        }
    }

    [Fact]
    public void Text_of_special_tokens_is_text_and_tokens_stand_for_their_parts_of_it()
    {
        var tokenizer = OfAscii();
        var encoding = tokenizer.EncodeText("<pad> A\U0001F916");
        Assert.Equal("<pad> arobot", tokenizer.Decode([.. encoding.Ids], skipSpecialTokens: true));
        Assert.DoesNotContain(tokenizer.PaddingId!.Value, encoding.Ids);
        Assert.Equal((7, 9), (encoding.Offsets[^2].Start, encoding.Offsets[^2].End)); // the t of robot
    }

    [Fact]
    public void Further_words_are_found_in_any_case_and_the_ids_around_them_stay()
    {
        var tokenizer = TextTokenizer.Load(s_folder);
        var grown = tokenizer.WithTokens(["Olympus Mons"]);
        Assert.Equal(tokenizer.VocabularySize + 1, grown.VocabularySize);
        var (before, after) = (tokenizer.Encode("the red planet"), tokenizer.Encode("a robot"));
        Assert.Equal(
            [.. before[..^1], tokenizer.VocabularySize, .. after[1..]], grown.Encode("The red planet OLYMPUS Mons a robot"));
    }

    [Fact]
    public void Further_words_are_found_where_they_stand_alone_and_stay_so_through_files()
    {
        var tokenizer = TextTokenizer.Load(s_folder);
        var grown = TextTokenizer.Load(tokenizer.WithWords(["Zorbl"]).Files);
        var word = tokenizer.VocabularySize;
        Assert.Equal([.. tokenizer.Encode("a red")[..^1], word, .. tokenizer.Encode("robot")[1..]], grown.Encode("a red zorbl robot"));
        Assert.Equal(tokenizer.Encode("zorbls, unzorbl"), grown.Encode("zorbls, unzorbl"));
        Assert.Contains(word, grown.Encode("zorbl, a"));
        Assert.Same(grown, grown.WithWords(["Zorbl"]));
    }

    [Fact]
    public void A_vocabulary_without_a_special_token_is_refused_by_its_name()
    {
        var error = Assert.Throws<InvalidDataException>(() => Load("""{ "<s>": 0, "<pad>": 1, "</s>": 2, "a": 3 }"""));
        Assert.Contains("<unk>", error.Message, StringComparison.Ordinal);
    }

    /// <summary>A tokenizer whose tokens are the characters of ASCII, so that its ids tell the text that it read.</summary>
    private static TextTokenizer OfAscii()
    {
        var vocabulary = new JsonObject { ["<s>"] = 0, ["<pad>"] = 1, ["</s>"] = 2, ["<unk>"] = 3, ["Ġ"] = 4 };
        for (var character = '!'; character <= '~'; character++)
            vocabulary[character.ToString()] = vocabulary.Count;
        return Load(vocabulary.ToJsonString());
    }

    private static TextTokenizer Load(string vocabulary) => TextTokenizer.Load(new Dictionary<string, byte[]>
    {
        ["vocab.json"] = Encoding.UTF8.GetBytes(vocabulary),
        ["merges.txt"] = [],
        ["tokenizer_config.json"] = """{ "tokenizer_class": "DalleBartTokenizer" }"""u8.ToArray(),
    });
}
