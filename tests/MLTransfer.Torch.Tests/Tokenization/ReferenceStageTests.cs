using System.Text.Json;
using MLTransfer.Torch.Tokenization;
using Xunit;

namespace MLTransfer.Torch.Tests.Tokenization;

public sealed class ReferenceStageTests
{
    public static TheoryData<string> Stages => [.. ReferenceArchive.Folders("stages/", "cases.json")];

    public static TheoryData<string> Decoders => [.. ReferenceArchive.Folders("decoders/", "decode.json")];

    public static TheoryData<string> SentencePieces => [.. ReferenceArchive.Folders("sentencepiece/", "cases.json")];

    public static TheoryData<string, string> Unknown => [.. ReferenceArchive.Cases("unknown/refuse.json")
        .Select(refused => new TheoryDataRow<string, string>(refused.Text("folder"), refused.Text("name")))];

    [Fact]
    public void The_references_have_all_their_stages_decoders_and_models()
    {
        Assert.Equal((44, 16, 9), (Stages.Count, Decoders.Count, SentencePieces.Count));
        Assert.Equal(9, Unknown.Count);
    }

    [Theory]
    [MemberData(nameof(Stages))]
    public void A_single_stage_gives_the_reference_tokens_and_places(string folder)
    {
        TextTokenizer tokenizer = ReferenceArchive.Alone(folder);

        foreach (JsonElement reference in ReferenceArchive.Cases(folder + "/cases.json"))
        {
            string text = reference.Text("text");
            TextEncoding encoding = tokenizer.EncodeText(text);
            Assert.Equal(reference.Ids("ids"), tokenizer.Encode(text));
            Assert.Equal(reference.Ids("ids"), encoding.Ids);
            Assert.Equal(reference.Texts("tokens"), encoding.Tokens);
            Assert.Equal(reference.Spans("utf16_offsets"), encoding.Offsets);
            Assert.Equal(reference.Text("decoded"), tokenizer.Decode(reference.Ids("ids")));
        }
    }

    [Theory]
    [MemberData(nameof(Decoders))]
    public void A_decoder_gives_the_reference_texts(string folder)
    {
        TextTokenizer tokenizer = ReferenceArchive.Alone(folder);

        foreach (JsonElement reference in ReferenceArchive.Cases(folder + "/decode.json"))
            Assert.Equal(reference.Text("decoded"), tokenizer.Decode(reference.Ids("ids")));
    }

    [Theory]
    [MemberData(nameof(Decoders))]
    public void A_decoder_gives_the_same_texts_one_by_one(string folder)
    {
        // Of bytes that are no UTF-8 in the end, what was readable is shown before that can be known.
        bool readsBytes = folder is "decoders/byte-fallback" or "decoders/llama";
        TextTokenizer tokenizer = ReferenceArchive.Alone(folder);

        foreach (JsonElement reference in ReferenceArchive.Cases(folder + "/decode.json"))
        {
            if (!readsBytes || !reference.Text("decoded").Contains('\uFFFD'))
                Assert.Equal(reference.Text("decoded"), ReferenceArchive.DecodeOneByOne(tokenizer, reference.Ids("ids")));
        }
    }

    [Theory]
    [MemberData(nameof(SentencePieces))]
    public void A_SentencePiece_model_gives_the_pieces_of_sentencepiece(string folder)
    {
        TextTokenizer tokenizer = TextTokenizer.Load(ReferenceArchive.Files(folder, "tokenizer_config.json"));

        foreach (JsonElement reference in ReferenceArchive.Cases(folder + "/cases.json"))
        {
            string text = reference.Text("text");
            TextEncoding encoding = tokenizer.EncodeText(text);
            Assert.Equal(reference.Ids("ids"), tokenizer.Encode(text));
            Assert.Equal(reference.Texts("pieces"), encoding.Tokens);
            Assert.Equal(reference.Spans("utf16_offsets"), encoding.Offsets);
            Assert.Equal(reference.Text("decoded"), tokenizer.Decode(reference.Ids("ids")));
            Assert.Equal(reference.Text("decoded"), ReferenceArchive.DecodeOneByOne(tokenizer, reference.Ids("ids")));
        }
    }

    [Theory]
    [InlineData("sentencepiece/bpe-byte-fallback")]
    [InlineData("sentencepiece/unigram-nmt-nfkc")]
    public void A_SentencePiece_model_with_a_class_gives_the_tokens_of_transformers(string folder)
    {
        TextTokenizer tokenizer = TextTokenizer.Load(ReferenceArchive.Files(folder));

        foreach (JsonElement reference in ReferenceArchive.Cases(folder + "/cases.json"))
            Assert.Equal(reference.Ids("ids_transformers"), tokenizer.Encode(reference.Text("text")));
    }

    [Fact]
    public void Ranks_of_tiktoken_give_its_tokens_with_special_ones_found_or_not()
    {
        TextTokenizer tokenizer = TextTokenizer.Load(ReferenceArchive.Files("tiktoken"));
        var ordinary = new EncodingOptions { Pads = false, SplitSpecialTokens = true };

        foreach (JsonElement reference in ReferenceArchive.Cases("tiktoken/cases.json"))
        {
            string text = reference.Text("text");
            Assert.Equal(reference.Ids("ids"), tokenizer.Encode(text));
            Assert.Equal(reference.Ids("ids_ordinary"), tokenizer.EncodeText(text, options: ordinary).Ids);
            Assert.Equal(reference.Text("decoded"), tokenizer.Decode(reference.Ids("ids")));
        }
    }

    [Theory]
    [MemberData(nameof(Unknown))]
    public void An_unknown_stage_is_refused_by_name_wherever_it_stands(string folder, string name)
    {
        string message = Assert.Throws<NotSupportedException>(() => ReferenceArchive.Alone("unknown/" + folder)).Message;

        Assert.Contains($"'{name}'", message);
        Assert.Contains("tokenizer.json: $.", message);
    }
}
