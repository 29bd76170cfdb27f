using System.Collections.Immutable;
using System.Text;
using MLTransfer.Torch.Tokenization.Patterns;

namespace MLTransfer.Torch.Tokenization.Normalizers;

/// <summary>Reads the normalizer of a tokenizer.json.</summary>
internal static class NormalizerReader
{
    private static readonly StageReader<INormalizer> s_reader = new("normalizer", new()
    {
        ["Sequence"] = field => new NormalizerSequence(
            [.. field.Only("normalizers").Required("normalizers").Items().Select(part => Read(part))]),
        ["NFC"] = field => Form(field, NormalizationForm.FormC),
        ["NFD"] = field => Form(field, NormalizationForm.FormD),
        ["NFKC"] = field => Form(field, NormalizationForm.FormKC),
        ["NFKD"] = field => Form(field, NormalizationForm.FormKD),
        ["Lowercase"] = field => Plain(field, new LowercaseNormalizer()),
        ["StripAccents"] = field => Plain(field, new StripAccentsNormalizer()),
        ["Nmt"] = field => Plain(field, new NmtNormalizer()),
        ["ByteLevel"] = field => Plain(field, new ByteLevelNormalizer()),
        ["Strip"] = field => new StripNormalizer(
            field.Only("strip_left", "strip_right").FlagOr("strip_left", true), field.FlagOr("strip_right", true)),
        ["Replace"] = field => new ReplaceNormalizer(
            PatternReader.Read(field.Only("pattern", "content").Required("pattern")), field.Required("content").Text()),
        ["Prepend"] = field => new PrependNormalizer(field.Only("prepend").Required("prepend").Text()),
        ["Precompiled"] = ReadPrecompiled,
        ["BertNormalizer"] = ReadBert,
    });

    public static INormalizer Read(JsonField field) => s_reader.Read(field);

    private static UnicodeNormalizer Form(JsonField field, NormalizationForm form)
    {
        field.Only();
        return new UnicodeNormalizer(form);
    }

    private static INormalizer Plain(JsonField field, INormalizer normalizer)
    {
        field.Only();
        return normalizer;
    }

    private static INormalizer ReadPrecompiled(JsonField field)
    {
        // Null or empty where the model was trained without any rule.
        if (field.Only("precompiled_charsmap").Optional("precompiled_charsmap") is not JsonField map || map.Text().Length == 0)
            return new NormalizerSequence(ImmutableArray<INormalizer>.Empty);
        byte[] compiled;
        try
        {
            compiled = Convert.FromBase64String(map.Text());
        }
        catch (FormatException)
        {
            throw map.Invalid("base64");
        }

        return new PrecompiledNormalizer(new CharacterMap(compiled, map.Where));
    }

    private static BertNormalizer ReadBert(JsonField field)
    {
        field.Only("clean_text", "handle_chinese_chars", "strip_accents", "lowercase");
        return new BertNormalizer(new BertNormalizerOptions(
            field.FlagOr("clean_text", true), field.FlagOr("handle_chinese_chars", true), field.Optional("strip_accents")?.Flag(),
            field.FlagOr("lowercase", true)));
    }
}
