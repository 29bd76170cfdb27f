using MLTransfer.Torch.Tokenization.Decoders;
using MLTransfer.Torch.Tokenization.Normalizers;
using MLTransfer.Torch.Tokenization.PostProcessors;
using MLTransfer.Torch.Tokenization.PreTokenizers;

namespace MLTransfer.Torch.Tokenization.Conversion;

/// <summary>
/// What <c>tokenizer_config.json</c> changes in the stages of a tokenizer.json, as `AutoTokenizer` of transformers 4.57 changes them
/// when it loads both.
/// </summary>
internal static class ConfiguredStages
{
    /// <param name="description">The stages.</param>
    /// <param name="configuration">The configuration.</param>
    /// <param name="idOf">The id of the token with a role, or null.</param>
    public static TokenizerDescription Apply(
        TokenizerDescription description, TokenizerConfiguration configuration, Func<string, (int Id, string Token)?> idOf)
    {
        if (configuration.Main is not JsonField main)
            return description;
        description = description with
        {
            PreTokenizer = WithPrefixSpace(description.PreTokenizer, configuration),
            Normalizer = WithCase(description.Normalizer, configuration, main),
            PostProcessor = WithSpecialTokens(description.PostProcessor, configuration, main, idOf),
        };
        if (configuration.Family == "CLIP" && description.BytePairs is { EndSuffix: { Length: > 0 } suffix })
            description = description with { Decoder = new DecoderSequence([description.Decoder, new WordEndDecoder(suffix)]) };
        return configuration.CleansUpSpaces
            ? description with { Decoder = new DecoderSequence([description.Decoder, new CleanupDecoder()]) }
            : description;
    }

    /// <summary>A configuration that does not speak of the prefix space means none.</summary>
    private static IPreTokenizer? WithPrefixSpace(IPreTokenizer? preTokenizer, TokenizerConfiguration configuration) =>
        preTokenizer is ByteLevelPreTokenizer stage && stage.AddsPrefixSpace != (configuration.AddsPrefixSpace ?? false)
            ? new ByteLevelPreTokenizer(!stage.AddsPrefixSpace, stage.SplitsWords)
            : preTokenizer;

    private static INormalizer? WithCase(INormalizer? normalizer, TokenizerConfiguration configuration, JsonField main) =>
        normalizer is BertNormalizer bert && ClassDefaults.IsBert(configuration.Family)
            ? new BertNormalizer(BertOptions(main, bert.Options.CleansText))
            : normalizer;

    /// <summary>The options of BERT's classes.</summary>
    public static BertNormalizerOptions BertOptions(JsonField? main, bool cleansText = true) => new(
        cleansText, main?.FlagOr("tokenize_chinese_chars", true) ?? true, main?.Optional("strip_accents")?.Flag(),
        main?.FlagOr("do_lower_case", true) ?? true);

    private static IPostProcessor? WithSpecialTokens(
        IPostProcessor? processor, TokenizerConfiguration configuration, JsonField main, Func<string, (int, string)?> idOf)
    {
        string family = configuration.Family;
        if (ClassDefaults.IsLlama(family))
        {
            return Around(
                configuration.AddsBeginningOfSequence ?? true ? Required(idOf, "add_bos_token", "bos_token") : null,
                configuration.AddsEndOfSequence ?? false ? Required(idOf, "add_eos_token", "eos_token") : null);
        }

        bool begins = configuration.AddsBeginningOfSequence ?? false;
        bool ends = configuration.AddsEndOfSequence ?? false;
        if (family == "GPTNeoX" || (processor is null || processor.CountAdded(isPair: false) == 0) && (begins || ends))
        {
            return Around(
                begins ? Required(idOf, "add_bos_token", "bos_token") : null, ends ? Required(idOf, "add_eos_token", "eos_token") : null);
        }

        if (!ClassDefaults.IsRoberta(family))
            return processor;
        bool trims = main.FlagOr("trim_offsets", true);
        bool prefix = configuration.AddsPrefixSpace ?? false;
        return processor switch
        {
            PairProcessor { IsRoberta: true } pair => new PairProcessor
            {
                Class = pair.Class,
                Separator = pair.Separator,
                IsRoberta = true,
                TrimsOffsets = trims,
                HasPrefixSpace = prefix,
            },
            ByteLevelPostProcessor => new ByteLevelPostProcessor(trims, prefix),
            _ => processor,
        };
    }

    /// <summary>The template of Llama's classes: the two tokens around each text, those of the second with type 1.</summary>
    public static TemplateProcessor Around((int Id, string Token)? before, (int Id, string Token)? after)
    {
        TemplatePiece[] Part(int text) =>
        [
            .. before is { } begin ? [TemplatePiece.Special(begin, text)] : (TemplatePiece[])[],
            TemplatePiece.Text(text, text),
            .. after is { } end ? [TemplatePiece.Special(end, text)] : (TemplatePiece[])[],
        ];
        return new TemplateProcessor([.. Part(0)], [.. Part(0), .. Part(1)]);
    }

    private static (int, string) Required(Func<string, (int, string)?> idOf, string option, string role) => idOf(role)
        ?? throw new InvalidDataException($"{TokenizerFiles.Configuration}: {option} is true, but no file names a {role}.");
}
