using System.Text.Json;
using MLTransfer.Torch.Tokenization;
using Xunit;

namespace MLTransfer.Torch.Tests.Tokenization;

public sealed class ReferenceKindTests
{
    public static TheoryData<string> Kinds => [.. ReferenceArchive.Kinds];

    public static TheoryData<string> KindsOfPairs => [.. ReferenceArchive.Folders("", "pairs.json")];

    public static TheoryData<string> TruncatedKinds => [.. ReferenceArchive.Folders("", "truncation_padding.json")];

    [Fact]
    public void The_references_have_thirty_six_kinds() => Assert.Equal(36, ReferenceArchive.Kinds.Length);

    [Theory]
    [MemberData(nameof(Kinds))]
    public void A_tokenizer_json_alone_gives_the_reference_tokens_and_texts(string kind)
    {
        TextTokenizer tokenizer = ReferenceArchive.Alone(kind);

        foreach (JsonElement reference in ReferenceArchive.Cases(kind + "/cases.json"))
        {
            string text = reference.Text("text");
            int[] ids = reference.Ids("ids");
            TextEncoding encoding = tokenizer.EncodeText(text);
            Assert.Equal(ids, tokenizer.Encode(text));
            Assert.Equal(reference.Ids("ids_without_special"), tokenizer.Encode(text, addSpecialTokens: false));
            Assert.Equal(ids, encoding.Ids);
            Assert.Equal(reference.Texts("tokens"), encoding.Tokens);
            Assert.Equal(reference.Spans("utf16_offsets"), encoding.Offsets);
            Assert.Equal(reference.Text("decoded"), tokenizer.Decode(ids));
            Assert.Equal(reference.Text("decoded_skip_special"), tokenizer.Decode(ids, skipSpecialTokens: true));
            Assert.Equal(reference.Text("decoded"), ReferenceArchive.DecodeOneByOne(tokenizer, ids));
        }
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void A_whole_folder_gives_the_tokens_and_texts_of_transformers(string kind)
    {
        TextTokenizer tokenizer = TextTokenizer.Load(ReferenceArchive.Files(kind));

        foreach (JsonElement reference in ReferenceArchive.Cases(kind + "/cases.json"))
        {
            int[] ids = reference.Ids("ids");
            string decoded = reference.Text(reference.Either("decoded_transformers", "decoded"));
            Assert.Equal(reference.Ids(reference.Either("ids_transformers", "ids")), tokenizer.Encode(reference.Text("text")));
            Assert.Equal(decoded, tokenizer.Decode(ids));
            Assert.Equal(decoded, ReferenceArchive.DecodeOneByOne(tokenizer, ids));
            Assert.Equal(
                reference.Text(reference.Either("decoded_skip_special_transformers", "decoded_skip_special")),
                tokenizer.Decode(ids, skipSpecialTokens: true));
        }
    }

    [Theory]
    [MemberData(nameof(KindsOfPairs))]
    public void Pairs_have_the_reference_types_masks_and_places(string kind)
    {
        TextTokenizer alone = ReferenceArchive.Alone(kind);
        TextTokenizer configured = TextTokenizer.Load(ReferenceArchive.Files(kind));

        foreach (JsonElement reference in ReferenceArchive.Cases(kind + "/pairs.json"))
        {
            (string text, string pair) = (reference.Text("text"), reference.Text("pair"));
            int?[] sequences =
                [.. reference.GetProperty("sequence_ids").EnumerateArray()
                    .Select(id => id.ValueKind == JsonValueKind.Null ? (int?)null : id.GetInt32())];
            TextEncoding encoding = alone.EncodeText(text, pair);
            Assert.Equal(reference.Ids("ids"), encoding.Ids);
            Assert.Equal(reference.Ids("type_ids"), encoding.TypeIds);
            Assert.Equal(reference.Ids("special_tokens_mask"), encoding.SpecialTokensMask);
            Assert.Equal(sequences, encoding.SequenceIds);
            Assert.Equal(
                reference.Spans("offsets").Zip(sequences, (span, sequence) => ToUnits(sequence == 1 ? pair : text, span)),
                    encoding.Offsets);

            TextEncoding ofTransformers = configured.EncodeText(text, pair);
            Assert.Equal(reference.Ids(reference.Either("ids_transformers", "ids")), ofTransformers.Ids);
            Assert.Equal(reference.Ids(reference.Either("type_ids_transformers", "type_ids")), ofTransformers.TypeIds);
        }
    }

    [Theory]
    [MemberData(nameof(KindsOfPairs))]
    public void A_stream_shows_whole_characters_as_soon_as_the_reference_does(string kind)
    {
        TextTokenizer tokenizer = ReferenceArchive.Alone(kind);

        foreach (JsonElement reference in ReferenceArchive.Cases(kind + "/streaming.json"))
        {
            int[] ids = reference.Ids("ids");
            IncrementalDecoder decoder = tokenizer.CreateIncrementalDecoder();
            Assert.Equal(reference.Texts("chunks").Select(chunk => chunk ?? ""), ids.Select(decoder.Append));
            Assert.Equal(
                reference.Texts("prefixes"), Enumerable.Range(0, ids.Length + 1).Select(length => tokenizer.Decode(ids.AsSpan(0, length))));
        }
    }

    [Theory]
    [MemberData(nameof(TruncatedKinds))]
    public void Truncation_and_padding_of_the_file_are_the_reference_ones(string kind)
    {
        TextTokenizer tokenizer = ReferenceArchive.Alone(kind);
        JsonElement references = ReferenceArchive.Json(kind + "/truncation_padding.json");

        foreach (JsonElement reference in references.GetProperty("single").EnumerateArray()
            .Concat(references.GetProperty("pairs").EnumerateArray()))
        {
            string text = reference.Text("text");
            string? pair = reference.TryGetProperty("pair", out JsonElement second) ? second.GetString() : null;
            if (reference.TryGetProperty("error", out _))
                Assert.Throws<ArgumentException>(() => tokenizer.EncodeText(text, pair, tokenizer.FileOptions));
            else
                AssertEqual(reference, tokenizer.EncodeText(text, pair, tokenizer.FileOptions));
        }

        JsonElement batch = references.GetProperty("batch");
        (string, string?)[] texts = [.. batch.GetProperty("inputs").EnumerateArray().Select(input =>
            input.ValueKind == JsonValueKind.String ? (input.GetString()!, (string?)null) : (input[0].GetString()!, input[1].GetString()))];
        IReadOnlyList<TextEncoding> encodings = tokenizer.EncodeTexts(texts, tokenizer.FileOptions);
        Assert.All(batch.GetProperty("encodings").EnumerateArray().Zip(encodings), both => AssertEqual(both.First, both.Second));
    }

    [Theory]
    [InlineData("clip", "vocab.json")]
    [InlineData("codegen", "vocab.json")]
    [InlineData("openai-gpt", "vocab.json")]
    [InlineData("qwen2", "vocab.json")]
    [InlineData("roberta", "vocab.json")]
    [InlineData("bert-cased", "vocab.txt")]
    [InlineData("bert-cased-strip-accents", "vocab.txt")]
    [InlineData("bert-uncased", "vocab.txt")]
    [InlineData("bert-uncased-keep-accents", "vocab.txt")]
    [InlineData("llama2", "tokenizer.model")]
    [InlineData("t5", "spiece.model")]
    public void A_folder_without_tokenizer_json_gives_the_same_tokens_by_its_class(string kind, string file)
    {
        Dictionary<string, byte[]> files = ReferenceArchive.Files(kind, "tokenizer.json");
        Assert.True(files.ContainsKey(file));
        TextTokenizer tokenizer = TextTokenizer.Load(files);

        foreach (JsonElement reference in ReferenceArchive.Cases(kind + "/cases.json"))
        {
            int[] ids = reference.Ids("ids");
            Assert.Equal(ids, tokenizer.Encode(reference.Text("text")));
            Assert.Equal(
                reference.Text(reference.Either("decoded_skip_special_transformers", "decoded_skip_special")),
                tokenizer.Decode(ids, skipSpecialTokens: true));
        }
    }

    private static void AssertEqual(JsonElement reference, TextEncoding encoding)
    {
        Assert.Equal(reference.Ids("ids"), encoding.Ids);
        Assert.Equal(reference.Ids("attention_mask"), encoding.AttentionMask);
        if (reference.TryGetProperty("offsets", out _))
            Assert.Equal(reference.Spans("offsets"), encoding.Offsets);
        if (reference.TryGetProperty("type_ids", out _))
            Assert.Equal(reference.Ids("type_ids"), encoding.TypeIds);
        if (reference.TryGetProperty("special_tokens_mask", out _))
            Assert.Equal(reference.Ids("special_tokens_mask"), encoding.SpecialTokensMask);
        if (!reference.TryGetProperty("overflowing", out JsonElement overflowing))
            return;
        Assert.Equal(overflowing.GetArrayLength(), encoding.Overflowing.Count);
        Assert.All(overflowing.EnumerateArray().Zip(encoding.Overflowing), both => AssertEqual(both.First, both.Second));
    }

    private static (int, int) ToUnits(string text, (int Start, int End) span)
    {
        int[] places =
            [.. text.EnumerateRunes().Aggregate(new List<int> { 0 }, (list, rune) => [.. list, list[^1] + rune.Utf16SequenceLength])];
        return (places[span.Start], places[span.End]);
    }
}
