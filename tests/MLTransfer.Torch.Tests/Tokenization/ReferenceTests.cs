using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using MLTransfer.Torch.Tokenization;
using Xunit;

namespace MLTransfer.Torch.Tests.Tokenization;

public sealed class ReferenceTests
{
    [Theory]
    [InlineData("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json")]
    [InlineData("tokenizer.json")]
    [InlineData("vocab.json", "merges.txt", "tokenizer_config.json", "special_tokens_map.json")]
    [InlineData("vocab.json", "merges.txt")]
    public void Every_reference_text_gives_the_reference_ids_and_decodes_back(params string[] files)
    {
        TextTokenizer tokenizer = TextTokenizer.Load(TokenizerData.Files(files));

        foreach (JsonElement reference in TokenizerData.Read("gpt2-tiny/tokenization.json").EnumerateArray())
        {
            Assert.Equal(reference.Ids("ids"), tokenizer.Encode(reference.Text("text")));
            Assert.Equal(reference.Text("decoded"), tokenizer.Decode(reference.Ids("ids")));
            Assert.Equal(reference.Text("decoded"), DecodeOneByOne(tokenizer, reference.Ids("ids")));
        }
    }

    [Fact]
    public void Generated_ids_with_broken_characters_decode_as_in_the_reference()
    {
        foreach (JsonElement reference in TokenizerData.Read("gpt2-tiny/generation.json").GetProperty("cases").EnumerateArray())
        {
            int[] ids = reference.Ids("output_ids");
            Assert.Equal(reference.Text("output_text"), TokenizerData.Tokenizer.Decode(ids));
            Assert.Equal(reference.Text("output_text"), DecodeOneByOne(TokenizerData.Tokenizer, ids));
        }
    }

    [Theory]
    [InlineData("plain")]
    [InlineData("prefix")]
    [InlineData("noregex")]
    [InlineData("added")]
    [InlineData("template")]
    [InlineData("unk")]
    [InlineData("nounk")]
    public void Changed_tokenizers_give_the_reference_ids_and_texts(string variant)
    {
        JsonElement data = TokenizerData.Read("tokenization/variants.json").EnumerateArray().Single(entry => entry.Text("name") == variant);
        TextTokenizer tokenizer = TokenizerData.LoadChanged(root => Apply(root, data.GetProperty("patch")));

        foreach (JsonElement reference in data.GetProperty("cases").EnumerateArray())
        {
            int[] ids = reference.Ids("ids");
            Assert.Equal(ids, tokenizer.Encode(reference.Text("text")));
            Assert.Equal(reference.Text("decoded"), tokenizer.Decode(ids));
            Assert.Equal(reference.Text("skipped"), tokenizer.Decode(ids, skipSpecialTokens: true));
            Assert.Equal(reference.Text("skipped"), DecodeOneByOne(tokenizer, ids, skipSpecialTokens: true));
            Assert.Equal(reference.Text("randomDecoded"), tokenizer.Decode(reference.Ids("randomIds")));
            Assert.Equal(reference.Text("randomDecoded"), DecodeOneByOne(tokenizer, reference.Ids("randomIds")));
        }
    }

    [Theory]
    [InlineData("tokenizer.json")]
    [InlineData("vocab.json", "merges.txt")]
    public void A_chapter_of_a_novel_gives_the_reference_ids(params string[] files)
    {
        int[] expected = [.. TokenizerData.Read("tokenization/mars-excerpt.ids.json").EnumerateArray().Select(id => id.GetInt32())];

        TextTokenizer tokenizer = TextTokenizer.Load(TokenizerData.Files(files));

        Assert.Equal(expected, tokenizer.Encode(TokenizerData.Excerpt));
        Assert.Equal(TokenizerData.Excerpt, tokenizer.Decode(expected));
    }

    private static string DecodeOneByOne(TextTokenizer tokenizer, int[] ids, bool skipSpecialTokens = false)
    {
        IncrementalDecoder decoder = tokenizer.CreateIncrementalDecoder(skipSpecialTokens);
        var text = new StringBuilder();
        foreach (int id in ids)
            text.Append(decoder.Append(id));
        return text.Append(decoder.Flush()).ToString();
    }

    private static void Apply(JsonObject root, JsonElement patch)
    {
        foreach (string part in (string[])["pre_tokenizer", "post_processor", "added_tokens"])
            root[part] = JsonNode.Parse(patch.GetProperty(part).GetRawText());

        JsonObject model = root["model"]!.AsObject();
        model["unk_token"] = patch.GetProperty("unk_token").GetString();
        if (patch.GetProperty("removed_letter").GetString() is string letter)
        {
            JsonObject vocabulary = model["vocab"]!.AsObject();
            foreach (string token in vocabulary.Select(entry => entry.Key).Where(token => token.Contains(letter)).ToArray())
                vocabulary.Remove(token);
            JsonArray merges = model["merges"]!.AsArray();
            for (int i = merges.Count - 1; i >= 0; i--)
            {
                if (merges[i]!.AsArray().Any(half => half!.GetValue<string>().Contains(letter)))
                    merges.RemoveAt(i);
            }
        }
    }
}
