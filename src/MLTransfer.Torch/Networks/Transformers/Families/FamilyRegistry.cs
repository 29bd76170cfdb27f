using System.Collections.Immutable;
using System.Text.Json.Nodes;
using MLTransfer.Torch.Networks.Transformers.Description;

namespace MLTransfer.Torch.Networks.Transformers.Families;

/// <summary>The families of transformers: one row for each <c>model_type</c>.</summary>
internal static class FamilyRegistry
{
    public static ImmutableArray<Family> All { get; } =
    [
        Gpt2.Family,
        GptNeo.Family,
        GptNeoX.Family,
        GptJ.Family,
        Opt.Family,
        Llama.Family,
        Mistral.Family,
        Qwen.Qwen2,
        Qwen.Qwen3,
        Gemma.Gemma2,
        Gemma.Gemma3,
        Phi3.Family,
        SmolLM3.Family,
        Bert.Family,
        Roberta.Family,
        DistilBert.Family,
        T5.Family,
        Bart.Family,
        MusicGenDecoder.Family,
        DalleBart.Family,
    ];

    /// <exception cref="NotSupportedException">There is no row for the configuration's <c>model_type</c>, or it is of another class.</exception>
    public static Family Of(JsonObject configuration, string origin)
    {
        var type = configuration["model_type"]?.ToString();
        var family = All.FirstOrDefault(family => family.ModelType == type) ?? throw new NotSupportedException(
            $"{origin}: config.json has model_type '{type}'. Supported: {string.Join(", ", All.Select(family => family.ModelType))}.");
        if (configuration["architectures"] is JsonArray { Count: > 0 } classes && !classes.Any(c => family.Architectures.Contains(c?.ToString() ?? "")))
        {
            throw new NotSupportedException(
                $"{origin}: config.json names the class {string.Join(", ", classes)}. Of model_type '{type}' these are supported: "
                + $"{string.Join(", ", family.Architectures)}.");
        }

        return family;
    }
}
