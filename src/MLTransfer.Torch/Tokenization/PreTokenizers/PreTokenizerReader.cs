using System.Collections.Immutable;
using System.Text;
using MLTransfer.Torch.Tokenization.Patterns;
using MLTransfer.Torch.Tokenization.Texts;
using MLTransfer.Torch.Tokenization.Unicode;

namespace MLTransfer.Torch.Tokenization.PreTokenizers;

/// <summary>Reads the pre-tokenizer of a tokenizer.json.</summary>
internal static class PreTokenizerReader
{
    /// <summary>Words of word characters, and words of what is neither that nor white space.</summary>
    public static IPreTokenizer Words { get; } = new SplitPreTokenizer(
        new RuneRunPattern(rune => CharacterKinds.IsWord(rune) ? 1 : Rune.IsWhiteSpace(rune) ? 0 : 2), SplitBehavior.Removed, invert: true);

    public static IPreTokenizer WhiteSpaceSplit { get; } =
        new SplitPreTokenizer(new RunePattern(Rune.IsWhiteSpace), SplitBehavior.Removed);

    public static IPreTokenizer Bert { get; } = new PreTokenizerSequence(
        ImmutableArray.Create(
            WhiteSpaceSplit, new SplitPreTokenizer(new RunePattern(CharacterKinds.IsPunctuation), SplitBehavior.Isolated)));

    private static readonly StageReader<IPreTokenizer> s_reader = new("pre-tokenizer", new()
    {
        ["Sequence"] = field => new PreTokenizerSequence(
            [.. field.Only("pretokenizers").Required("pretokenizers").Items().Select(part => Read(part))]),
        ["Split"] = ReadSplit,
        ["ByteLevel"] = field => new ByteLevelPreTokenizer(
            field.Only("add_prefix_space", "trim_offsets", "use_regex").FlagOr("add_prefix_space", false), field.FlagOr("use_regex", true)),
        ["Metaspace"] = ReadMetaspace,
        ["Whitespace"] = field => Plain(field, Words),
        ["WhitespaceSplit"] = field => Plain(field, WhiteSpaceSplit),
        ["BertPreTokenizer"] = field => Plain(field, Bert),
        ["Punctuation"] = field => new SplitPreTokenizer(
            new RunePattern(CharacterKinds.IsPunctuation),
            field.Only("behavior").Optional("behavior") is JsonField behavior ? ReadBehavior(behavior) : SplitBehavior.Isolated),
        ["Digits"] = field => new SplitPreTokenizer(
            new RunePattern(CharacterKinds.IsNumeric),
            field.Only("individual_digits").FlagOr("individual_digits", false) ? SplitBehavior.Isolated : SplitBehavior.Contiguous),
        ["CharDelimiterSplit"] = field => new SplitPreTokenizer(
            new LiteralPattern(field.Only("delimiter").Required("delimiter").Character().ToString()), SplitBehavior.Removed),
        ["UnicodeScripts"] = field => Plain(field, new UnicodeScriptsPreTokenizer()),
        ["FixedLength"] = ReadFixedLength,
    });

    public static IPreTokenizer Read(JsonField field) => s_reader.Read(field);

    /// <summary>Reads the options that a Metaspace has as pre-tokenizer and as decoder.</summary>
    public static (Rune Replacement, PrependScheme Scheme, bool Splits) ReadMetaspaceOptions(JsonField field)
    {
        // The first spelling has str_rep and add_prefix_space.
        field.Only("replacement", "prepend_scheme", "split", "str_rep", "add_prefix_space");
        PrependScheme scheme = field.Optional("prepend_scheme") is JsonField given
            ? given.Text() switch
            {
                "always" => PrependScheme.Always,
                "first" => PrependScheme.First,
                "never" => PrependScheme.Never,
                _ => throw given.Invalid("'always', 'first' or 'never'"),
            }
            : PrependScheme.Always;

        // Where both are there, they must agree.
        if (field.Optional("add_prefix_space") is JsonField adds && !adds.Flag())
        {
            if (field.Optional("prepend_scheme") is not null && scheme != PrependScheme.Never)
                throw adds.Invalid("true, or the prepend_scheme 'never'");
            scheme = PrependScheme.Never;
        }

        return (field.Required("replacement").Character(), scheme, field.FlagOr("split", true));
    }

    private static MetaspacePreTokenizer ReadMetaspace(JsonField field)
    {
        (Rune replacement, PrependScheme scheme, bool splits) = ReadMetaspaceOptions(field);
        return new MetaspacePreTokenizer(replacement, scheme, splits);
    }

    private static SplitPreTokenizer ReadSplit(JsonField field)
    {
        field.Only("pattern", "behavior", "invert");
        return new SplitPreTokenizer(
            PatternReader.Read(field.Required("pattern")), ReadBehavior(field.Required("behavior")), field.FlagOr("invert", false));
    }

    private static FixedLengthPreTokenizer ReadFixedLength(JsonField field)
    {
        int length = field.Only("length").Optional("length")?.Count() ?? 5;
        return length > 0 ? new FixedLengthPreTokenizer(length) : throw field.Required("length").Invalid("a length from 1");
    }

    private static SplitBehavior ReadBehavior(JsonField field) =>
        Enum.TryParse(field.Text(), out SplitBehavior behavior) && Enum.IsDefined(behavior) ? behavior
            : throw field.Invalid(string.Join(", ", Enum.GetNames<SplitBehavior>()));

    private static IPreTokenizer Plain(JsonField field, IPreTokenizer preTokenizer)
    {
        field.Only();
        return preTokenizer;
    }
}
