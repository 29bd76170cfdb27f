using System.Text.Json.Nodes;
using MLTransfer.Torch.Memory;

namespace MLTransfer.Torch.Checkpoints;

/// <summary>
/// The entries that say which tokens a network's texts begin and end with, and which it never writes. They stand in
/// <c>generation_config.json</c>, in older checkpoints in <c>config.json</c>.
/// </summary>
internal static class TokenRuleEntries
{
    private const string FileName = "generation_config.json";
    private const string DecoderStart = "decoder_start_token_id";

    private static readonly string[] s_names =
    [
        DecoderStart, "forced_bos_token_id", "forced_eos_token_id", "suppress_tokens", "begin_suppress_tokens", "bad_words_ids",
    ];

    /// <summary>Gives a <c>config.json</c> those of the <c>generation_config.json</c> beside it. Where there is such a file it decides
    /// alone, but for the token that training begins with too.</summary>
    public static void Take(string folder, JsonObject configuration)
    {
        var path = Path.Combine(folder, FileName);
        if (!FileOnDisk.Exists(path))
            return;
        var rules = JsonContent.ParseObject(FileKind.Configuration.Read(path), path);
        foreach (var name in s_names)
        {
            if (rules[name] is { } rule)
                configuration[name] = rule.DeepClone();
            else if (name != DecoderStart && configuration[name] is not null)
                configuration.Remove(name);
        }
    }

    /// <summary>Gives a <c>generation_config.json</c> those of a <c>config.json</c>.</summary>
    public static void Copy(JsonObject configuration, JsonObject generation)
    {
        foreach (var name in s_names)
        {
            if (configuration[name] is { } rule)
                generation[name] = rule.DeepClone();
        }
    }
}
