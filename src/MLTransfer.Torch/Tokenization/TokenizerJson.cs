using MLTransfer.Torch.Tokenization.Decoders;
using MLTransfer.Torch.Tokenization.Normalizers;
using MLTransfer.Torch.Tokenization.PostProcessors;
using MLTransfer.Torch.Tokenization.PreTokenizers;

namespace MLTransfer.Torch.Tokenization;

/// <summary>Reads <c>tokenizer.json</c> of Hugging Face's tokenizers, version 1.0 and the spellings before it.</summary>
internal static class TokenizerJson
{
    private const string File = TokenizerFiles.Tokenizer;

    public static TokenizerDescription Read(byte[] content)
    {
        JsonField root = JsonField.Parse(content, File);
        root.Only("version", "truncation", "padding", "added_tokens", "normalizer", "pre_tokenizer", "post_processor", "decoder", "model");
        TokenizerDescription model = ModelReader.Read(root.Required("model"));
        return model with
        {
            Normalizer = root.Optional("normalizer") is JsonField normalizer ? NormalizerReader.Read(normalizer) : null,
            PreTokenizer = root.Optional("pre_tokenizer") is JsonField preTokenizer ? PreTokenizerReader.Read(preTokenizer) : null,
            PostProcessor = root.Optional("post_processor") is JsonField processor ? PostProcessorReader.Read(processor) : null,
            Decoder = root.Optional("decoder") is JsonField decoder ? DecoderReader.Read(decoder) : DecoderReader.Spaces,
            AddedTokens = ReadAddedTokens(root),
            EncodingOptions = EncodingOptionsReader.Read(root.Optional("truncation"), root.Optional("padding")),
        };
    }

    /// <summary>Reads the flags that an added token has in every tokenizer file.</summary>
    public static AddedToken ReadAddedToken(JsonField token, bool special) => new(
        token.Required("content").Text(), token.FlagOr("single_word", false), token.FlagOr("lstrip", false), token.FlagOr("rstrip", false),
        token.FlagOr("normalized", !special), special);

    private static (AddedToken, int)[] ReadAddedTokens(JsonField root) =>
        root.Optional("added_tokens") is not JsonField tokens
            ? []
            : [.. tokens.Items().Select(token => (ReadAddedToken(
                token.Only("id", "content", "single_word", "lstrip", "rstrip", "normalized", "special"), token.FlagOr("special", false)),
                token.Required("id").Id()))];
}
