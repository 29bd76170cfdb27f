using System.Text;

namespace MLTransfer.Torch.Tokenization;

/// <summary>
/// Reads <c>tokenizer.json</c> of Hugging Face's tokenizers, version 1.0, as far as it describes a byte-level BPE; says which part
/// of it goes beyond that.
/// </summary>
internal static class TokenizerJson
{
    private const string File = TokenizerFiles.Tokenizer;

    public static BytePairModel Read(byte[] content)
    {
        JsonField root = JsonField.Parse(content, File);
        JsonField model = root.Required("model");

        // Files of early versions leave the type of a BPE out.
        string type = model.Optional("type")?.Text() ?? (model.Has("merges") ? "BPE" : "(none)");
        if (type != "BPE")
            throw Unsupported($"model type '{type}'", "'BPE' with a ByteLevel pre-tokenizer");
        RefuseUnsupported(model);

        (bool splitsWords, bool addsPrefixSpace) = ReadPreTokenizer(root.Optional("pre_tokenizer"));
        if (root.Optional("decoder") is not JsonField decoder || TypeOf(decoder) != "ByteLevel")
            throw Unsupported($"decoder '{(root.Optional("decoder") is JsonField other ? TypeOf(other) : "null")}'", "'ByteLevel'");

        return new BytePairModel
        {
            Vocabulary = TokenVocabulary.Read(model.Required("vocab"), File),
            Merges = [.. model.Required("merges").Items().Select(ReadMerge)],
            MergesFile = File,
            UnknownToken = model.Optional("unk_token")?.Text(),
            IgnoreMerges = model.Optional("ignore_merges")?.Flag() ?? false,
            ComposesCharacters = ReadNormalizer(root.Optional("normalizer")),
            SplitsWords = splitsWords,
            AddsPrefixSpace = addsPrefixSpace,
            AddedTokens = ReadAddedTokens(root),
            Template = ReadPostProcessor(root.Optional("post_processor")),
        };
    }

    /// <summary>Reads the flags that an added token has in every tokenizer file.</summary>
    public static AddedToken ReadAddedToken(JsonField token, bool special)
    {
        bool Flag(string name, bool otherwise) => token.Optional(name)?.Flag() ?? otherwise;
        return new AddedToken(
            token.Required("content").Text(), Flag("single_word", false), Flag("lstrip", false), Flag("rstrip", false),
            Flag("normalized", !special), special);
    }

    private static void RefuseUnsupported(JsonField model)
    {
        if (model.Optional("dropout")?.Number() is > 0)
            throw Unsupported("model.dropout above 0 (random merges)", "null");
        foreach (string affix in (string[])["continuing_subword_prefix", "end_of_word_suffix"])
        {
            if (model.Optional(affix)?.Text() is { Length: > 0 } text)
                throw Unsupported($"model.{affix} '{text}'", "none");
        }

        // Both are about characters that the vocabulary lacks.
        if (model.Optional("byte_fallback")?.Flag() == true)
            throw Unsupported("model.byte_fallback", "false");
        if (model.Optional("fuse_unk")?.Flag() == true && model.Optional("unk_token") is not null)
            throw Unsupported("model.fuse_unk with an unk_token", "false");
    }

    private static (bool SplitsWords, bool AddsPrefixSpace) ReadPreTokenizer(JsonField? field)
    {
        const string Expected = "'ByteLevel'";
        if (field is not JsonField preTokenizer)
            throw Unsupported("no pre-tokenizer", Expected);

        if (TypeOf(preTokenizer) == "Sequence")
        {
            JsonField[] parts = [.. preTokenizer.Required("pretokenizers").Items()];
            if (parts.Length != 1)
                throw Unsupported($"pre-tokenizer 'Sequence' of {string.Join(", ", parts.Select(TypeOf))}", Expected);
            preTokenizer = parts[0];
        }

        return TypeOf(preTokenizer) == "ByteLevel"
            ? (preTokenizer.Optional("use_regex")?.Flag() ?? true, preTokenizer.Optional("add_prefix_space")?.Flag() ?? false)
            : throw Unsupported($"pre-tokenizer '{TypeOf(preTokenizer)}'", Expected);
    }

    private static bool ReadNormalizer(JsonField? field)
    {
        if (field is not JsonField normalizer)
            return false;
        if (TypeOf(normalizer) == "Sequence")
            return normalizer.Required("normalizers").Items().Select(part => ReadNormalizer(part)).ToArray().Contains(true);
        if (TypeOf(normalizer) != "NFC")
            throw Unsupported($"normalizer '{TypeOf(normalizer)}'", "none or 'NFC'");
        if ("e\u0301".Normalize(NormalizationForm.FormC) != "\u00E9")
        {
            throw new NotSupportedException(
                $"{File}: the normalizer 'NFC' needs .NET's globalization data, which this program runs without. " +
                "Set InvariantGlobalization to false and install ICU (libicu on Linux).");
        }

        return true;
    }

    /// <summary>The special tokens that post-processors put around a single text; null if none says.</summary>
    private static (int[], int[])? ReadPostProcessor(JsonField? field)
    {
        if (field is not JsonField processor)
            return null;

        switch (TypeOf(processor))
        {
            case "ByteLevel":
                return null;
            case "RobertaProcessing" or "BertProcessing":
                return ([ReadPairedId(processor.Required("cls"))], [ReadPairedId(processor.Required("sep"))]);
            case "TemplateProcessing":
                return ReadTemplate(processor);
            case "Sequence":
                (int[] Leading, int[] Trailing)? around = null;
                foreach (JsonField part in processor.Required("processors").Items())
                {
                    if (ReadPostProcessor(part) is var (leading, trailing))
                        around = ([.. leading, .. around?.Leading ?? []], [.. around?.Trailing ?? [], .. trailing]);
                }

                return around;
            default:
                throw Unsupported($"post-processor '{TypeOf(processor)}'", "'ByteLevel' or 'TemplateProcessing'");
        }
    }

    private static (int[], int[]) ReadTemplate(JsonField processor)
    {
        var leading = new List<int>();
        var trailing = new List<int>();
        bool textSeen = false;
        foreach (JsonField piece in processor.Required("single").Items())
        {
            if (piece.Optional("SpecialToken") is JsonField special)
            {
                JsonField token = processor.Required("special_tokens").Required(special.Required("id").Text());
                (textSeen ? trailing : leading).AddRange(token.Required("ids").Items().Select(id => id.Id()));
            }
            else if (piece.Optional("Sequence") is not null && !textSeen)
            {
                textSeen = true;
            }
            else
            {
                throw piece.Invalid("a SpecialToken, or the one Sequence");
            }
        }

        return textSeen ? ([.. leading], [.. trailing]) : throw processor.Invalid("a template with a Sequence");
    }

    private static int ReadPairedId(JsonField pair) =>
        pair.Items().ToArray() is [_, JsonField id] ? id.Id() : throw pair.Invalid("a token and its id");

    private static (AddedToken, int)[] ReadAddedTokens(JsonField root) =>
        root.Optional("added_tokens") is not JsonField tokens
            ? []
            : [.. tokens.Items().Select(token =>
                (ReadAddedToken(token, token.Optional("special")?.Flag() ?? false), token.Required("id").Id()))];

    private static (string, string) ReadMerge(JsonField merge)
    {
        // Since version 0.20 of the format's library an array of two, before one text with a space.
        (string, string)? pair = merge.IsText ? BytePairModel.SplitMerge(merge.Text())
            : merge.IsArray && merge.Items().ToArray() is [{ IsText: true } left, { IsText: true } right]
                && left.Text() is { Length: > 0 } leftText && right.Text() is { Length: > 0 } rightText ? (leftText, rightText)
            : null;
        return pair ?? throw merge.Invalid("two tokens");
    }

    private static string TypeOf(JsonField part) => part.Required("type").Text();

    private static NotSupportedException Unsupported(string found, string expected) =>
        new($"{File}: {found} is not supported; expected {expected}.");
}
