using System.Text;
using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Memory;
using MLTransfer.Torch.Tokenization.Decoders;
using MLTransfer.Torch.Tokenization.Models;
using MLTransfer.Torch.Tokenization.Normalizers;
using MLTransfer.Torch.Tokenization.PreTokenizers;

namespace MLTransfer.Torch.Tokenization.Conversion;

/// <summary>
/// The tokenizer of DALL-E mini: names of emoji, lower case, ASCII alone, words between spaces, byte pairs of characters. Text of special
/// tokens within a caption is ordinary text.
/// </summary>
internal static class DalleMiniTokens
{
    /// <summary>What <c>tokenizer_config.json</c> calls it.</summary>
    public const string Class = "DalleBartTokenizer";

    /// <summary>The class, without what classes of one tokenizer differ in.</summary>
    public const string Family = "DalleBart";

    private const char WordBeginning = 'Ġ';

    private static readonly (string Role, string Token)[] s_roles =
    [
        ("bos_token", "<s>"), ("eos_token", "</s>"), ("cls_token", "<s>"), ("sep_token", "</s>"), ("unk_token", "<unk>"),
        ("pad_token", "<pad>"),
    ];

    /// <summary>A configuration for a folder of a DALL-E mini that has none: published ones hold a vocabulary and merges, as many other
    /// tokenizers' do. Null for another folder.</summary>
    public static byte[]? ConfigurationOf(string folder)
    {
        if (CheckpointFiles.FindPart(folder, CheckpointFiles.Detokenizer) is null && !IsConfigured(folder))
            return null;
        return Encoding.UTF8.GetBytes($$"""{ "tokenizer_class": "{{Class}}" }""");
    }

    /// <summary>The stages.</summary>
    /// <param name="bytePairs">The vocabulary and the merges.</param>
    /// <exception cref="InvalidDataException">The vocabulary lacks a special token.</exception>
    public static TokenizerDescription Describe(BytePairOptions bytePairs)
    {
        var roles = s_roles.ToDictionary(named => named.Role, named => IdOf(named.Token));
        return new TokenizerDescription
        {
            BytePairs = bytePairs with { UnknownToken = "<unk>" },
            Normalizer = new NormalizerSequence([new EmojiNameNormalizer(), new LowercaseNormalizer(), new AsciiNormalizer()]),
            PreTokenizer = new SpacedWordsPreTokenizer(new Rune(WordBeginning)),
            PostProcessor = ConfiguredStages.Around((roles["bos_token"], "<s>"), (roles["eos_token"], "</s>")),
            Decoder = new MetaspaceDecoder(new Rune(WordBeginning), dropsFirst: true),
            RoleIds = roles,
            HiddenSpecialIds = [.. roles.Values.Distinct()],
        };

        int IdOf(string token) => bytePairs.Vocabulary.Ids.TryGetValue(token, out int id) ? id : throw new InvalidDataException(
            $"{TokenizerFiles.Vocabulary} has no token '{token}', which the tokenizer of a DALL-E mini has.");
    }

    private static bool IsConfigured(string folder) => FileOnDisk.Exists(Path.Combine(folder, ModelConfigurationFile.FileName))
        && ModelConfigurationFile.Read(folder)["model_type"]?.ToString() == "dallebart";
}
