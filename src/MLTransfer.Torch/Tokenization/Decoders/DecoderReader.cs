using System.Text;
using MLTransfer.Torch.Tokenization.Patterns;
using MLTransfer.Torch.Tokenization.PreTokenizers;
using MLTransfer.Torch.Tokenization.Texts;

namespace MLTransfer.Torch.Tokenization.Decoders;

/// <summary>Reads the decoder of a tokenizer.json.</summary>
internal static class DecoderReader
{
    private static readonly StageReader<IDecoder> s_reader = new("decoder", new()
    {
        ["Sequence"] = field => new DecoderSequence([.. field.Only("decoders").Required("decoders").Items().Select(part => Read(part))]),
        ["ByteLevel"] = field => Plain(field, new ByteLevelDecoder(), "add_prefix_space", "trim_offsets", "use_regex"),
        ["ByteFallback"] = field => Plain(field, new ByteFallbackDecoder()),
        ["Fuse"] = field => Plain(field, new FuseDecoder()),
        ["Strip"] = field => new StripDecoder(
            field.Only("content", "start", "stop").Required("content").Character(), field.Required("start").Count(),
            field.Required("stop").Count()),
        ["Metaspace"] = ReadMetaspace,
        ["WordPiece"] = field => WordPiece(
            field.Only("prefix", "cleanup").Required("prefix").Text(), field.Required("cleanup").Flag()),
        ["BPEDecoder"] = field => new BytePairDecoder(field.Only("suffix").Required("suffix").Text()),
        ["CTC"] = field => new CtcDecoder(
            field.Only("pad_token", "word_delimiter_token", "cleanup").Required("pad_token").Text(),
            field.Required("word_delimiter_token").Text(), field.Required("cleanup").Flag()),
        ["Replace"] = field => Replace(
            PatternReader.Read(field.Only("pattern", "content").Required("pattern")), field.Required("content").Text()),
    });

    public static IDecoder Read(JsonField field) => s_reader.Read(field);

    /// <summary>Spaces between tokens, which is what a tokenizer without decoder writes.</summary>
    public static IDecoder Spaces { get; } = new TokenDecoder((token, isFirst) => isFirst ? token : $" {token}");

    /// <summary>Spaces before tokens that begin a word; the others lose their prefix.</summary>
    public static IDecoder WordPiece(string prefix, bool cleansUp) => new TokenDecoder((token, isFirst) =>
    {
        if (!isFirst)
            token = token.StartsWith(prefix, StringComparison.Ordinal) ? token[prefix.Length..] : $" {token}";
        return cleansUp ? EnglishCleanup.OfToken(token) : token;
    });

    /// <summary>Each match within a token becomes another text.</summary>
    public static IDecoder Replace(ITextPattern pattern, string content) => new TokenDecoder((token, _) =>
    {
        var matches = new List<TextMatch>();
        pattern.FindMatches(token, matches);
        var text = new StringBuilder();
        foreach (TextMatch match in matches)
            text.Append(match.IsMatch ? content : token.AsSpan(match.Start, match.End - match.Start));
        return text.ToString();
    });

    private static MetaspaceDecoder ReadMetaspace(JsonField field)
    {
        (Rune replacement, PrependScheme scheme, _) = PreTokenizerReader.ReadMetaspaceOptions(field);
        return new MetaspaceDecoder(replacement, dropsFirst: scheme != PrependScheme.Never);
    }

    private static IDecoder Plain(JsonField field, IDecoder decoder, params ReadOnlySpan<string> ignored)
    {
        field.Only(ignored);
        return decoder;
    }
}
