using System.Collections.Frozen;
using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Networks.Transformers.Description;

namespace MLTransfer.Torch.Networks.Transformers.Families;

/// <summary>The entries of a <c>config.json</c> that tell a rotation: <c>rope_theta</c> and <c>rope_scaling</c>, or
/// <c>rope_parameters</c>.</summary>
internal static class RotaryEntries
{
    /// <summary>What <c>rope_scaling</c> and <c>rope_parameters</c> may say; what a kind of scaling does not use changes nothing.</summary>
    private static readonly FrozenSet<string> s_entries = FrozenSet.ToFrozenSet(
    [
        "type", "rope_type", "rope_theta", "partial_rotary_factor", "factor", "attention_factor", "beta_fast", "beta_slow", "mscale",
        "mscale_all_dim", "truncate", "short_factor", "long_factor", "low_freq_factor", "high_freq_factor",
        "original_max_position_embeddings",
    ]);

    /// <summary>Reads a rotation of halves.</summary>
    /// <param name="c">The configuration.</param>
    /// <param name="headWidth">The width of a head.</param>
    /// <param name="theta">The base where the file tells none.</param>
    /// <param name="kind">The kind of layer where <c>rope_parameters</c> tells kinds apart, such as <c>full_attention</c>; null for one
    /// set.</param>
    /// <param name="share">The share of a head's values that are turned where the file tells none.</param>
    /// <param name="original">Positions of pretraining where the file tells none; null for the network's.</param>
    public static Rotary Read(
        ConfigurationReader c, int headWidth, double theta = 10000, string? kind = null, double share = 1, int? original = null)
    {
        var sets = c.Object("rope_parameters");
        var (oldTheta, oldScaling) = kind == WindowEntries.Sliding ? ("rope_local_base_freq", null) : ("rope_theta", "rope_scaling");
        var parameters = sets is null ? oldScaling is null ? null : c.Object(oldScaling) : kind is null ? sets : sets.Object(kind);
        if (sets is not null)
        {
            c.Skip("rope_theta", "rope_scaling", "rope_local_base_freq");
            if (kind is not null)
                sets.RefuseUnread(static set => set is WindowEntries.Full or WindowEntries.Sliding);
        }

        share = parameters?.OptionalNumber("partial_rotary_factor") ?? c.Number("partial_rotary_factor", share);
        var width = (int)(headWidth * share);
        if (width < 2 || width > headWidth || width % 2 != 0)
            throw c.Invalid(
                $"partial_rotary_factor {share} turns {width} of the {headWidth} values of a head; expected an even number of them");
        theta = parameters?.Has("rope_theta") == true ? parameters.Positive("rope_theta") : c.Positive(oldTheta, theta);
        c.Skip("original_max_position_embeddings"); // it tells something where a scaling asks for it
        var scaling = Scaling(c, parameters, width, original);
        parameters?.RefuseUnread(s_entries.Contains);
        return new Rotary(width, theta, Pairing.Halves, scaling);
    }

    /// <summary>How far positions go: with a dynamic base further than those of pretraining.</summary>
    public static int Context(int positions, Rotary? rotary) =>
        rotary?.Scaling is DynamicScaling dynamic ? (int)Math.Min(1 << 24, dynamic.Original * dynamic.Factor) : positions;

    private static RotaryScaling? Scaling(ConfigurationReader c, ConfigurationReader? entries, int width, int? otherwise)
    {
        if (entries is null)
            return null;
        var type = entries.OptionalText("rope_type") ?? entries.OptionalText("type") ?? "default";
        switch (type)
        {
            case "default":
                return null;
            case "linear":
                return new LinearScaling(entries.Positive("factor"));
            case "dynamic":
                return new DynamicScaling(entries.Positive("factor"), c.Size("max_position_embeddings"));
            case "llama3":
                return new Llama3Scaling(
                    entries.Positive("factor"), entries.Positive("low_freq_factor"), entries.Positive("high_freq_factor"),
                    Original());
            case "longrope" or "su":
            case "yarn" when entries.Has("long_factor"): // early files of Phi-3
                var original = Original();
                return new LongRopeScaling(
                    [.. Factors("short_factor")], [.. Factors("long_factor")], entries.OptionalNumber("attention_factor")
                        ?? LongAttention(original), original);
            case "yarn":
                var factor = entries.Positive("factor");
                return new YarnScaling(
                    factor, entries.Positive("beta_fast", 32), entries.Positive("beta_slow", 1), entries.Flag("truncate", true),
                    entries.OptionalNumber("attention_factor") ?? YarnAttention(entries, factor), Original());
            default:
                throw entries.Unsupported(
                    entries.Has("rope_type") ? "rope_type" : "type", "supported are default, linear, dynamic, yarn, llama3 and longrope");
        }

        int Original() => entries.OptionalSize("original_max_position_embeddings") ?? c.OptionalSize("original_max_position_embeddings")
            ?? otherwise ?? c.Size("max_position_embeddings");

        IReadOnlyList<double> Factors(string key) =>
            entries.OfLength(key, entries.Numbers(key) ?? throw entries.Invalid($"{key} is missing"), width / 2);

        double LongAttention(int original)
        {
            var stretched = c.Has("original_max_position_embeddings") || otherwise is not null || !entries.Has("factor")
                ? (double)c.Size("max_position_embeddings") / original : entries.Positive("factor");
            return stretched <= 1 ? 1 : Math.Sqrt(1 + Math.Log(stretched) / Math.Log(original));
        }
    }

    private static double YarnAttention(ConfigurationReader entries, double factor)
    {
        return entries.OptionalNumber("mscale") is { } scale and not 0 && entries.OptionalNumber("mscale_all_dim") is { } all and not 0
            ? Growth(scale) / Growth(all) : Growth(1);

        double Growth(double scale) => factor <= 1 ? 1 : 0.1 * scale * Math.Log(factor) + 1;
    }
}
