using System.Text.Json;
using System.Text.Json.Nodes;

namespace MakeTestData;

/// <summary>A folder of <c>tests/data/families</c>: the checkpoint of a tiny network, and what the reference stack makes of it.</summary>
/// <param name="Name">The folder's name, of the reference data too.</param>
internal sealed record FamilyFolder(string Name)
{
    /// <summary>Whether tests compare generated tokens.</summary>
    public bool Generates { get; init; }

    /// <summary>Whether tests compare the log of a training.</summary>
    public bool Trains { get; init; }

    /// <summary>Whether tests compare the weights that training ends with.</summary>
    public bool TrainsToWeights { get; init; }

    /// <summary>Whether tests compare trainings of adapters.</summary>
    public bool TrainsAdapters { get; init; }

    /// <summary>Whether tests compare texts whose masks are filled, with the tokenizer.</summary>
    public bool Infills { get; init; }

    public void Copy(string source, TargetFolder target, string relativePath)
    {
        foreach (var path in Directory.EnumerateFiles(source).Order(StringComparer.Ordinal))
        {
            var name = Path.GetFileName(path);
            if (name is "config.json" or "model.safetensors" or "encoder.safetensors" or "decoder.safetensors"
                || name.StartsWith("forward", StringComparison.Ordinal)
                || (Trains && name == "training.json")
                || (TrainsAdapters && name.StartsWith("training_", StringComparison.Ordinal))
                || (Infills && (name is "infilling.json" or "tokenizer.json" or "tokenizer_config.json" or "special_tokens_map.json"))
                || (TrainsToWeights && name == "training.final.safetensors"))
            {
                target.Copy(path, $"{relativePath}/{name}");
            }
        }

        if (TrainsAdapters)
        {
            foreach (var path in Directory.EnumerateFiles(source, "adapter_*", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
                target.Copy(path, $"{relativePath}/{Path.GetRelativePath(source, path)}");
        }

        if (Generates)
            target.Write($"{relativePath}/generation.json", ReduceGeneration(File.ReadAllBytes(Path.Combine(source, "generation.json"))));
    }

    /// <summary>The cases alone, as token ids: texts are another tokenizer's matter, and distributions GPT-2's.</summary>
    private static byte[] ReduceGeneration(byte[] json)
    {
        var cases = JsonNode.Parse(json)!["cases"]!.AsArray();
        foreach (var node in cases)
            node!.AsObject().Remove("output_text");
        return JsonSerializer.SerializeToUtf8Bytes(new JsonObject { ["cases"] = cases.DeepClone() });
    }
}

internal static class Families
{
    public static IReadOnlyList<FamilyFolder> All { get; } =
    [
        new("bart-tiny") { Trains = true, TrainsToWeights = true },
        new("bert-lm-tiny") { Generates = true },
        new("bert-tiny") { Infills = true, Trains = true },
        new("distilbert-tiny") { Infills = true, Trains = true, TrainsToWeights = true },
        new("gemma2-tiny") { Generates = true },
        new("gemma3-tiny") { Generates = true, Trains = true },
        new("gemma3-tiny-rope-parameters") { Generates = true },
        new("gpt-neo-tiny") { Generates = true },
        new("gpt-neox-tiny") { Generates = true },
        new("gptj-tiny") { Generates = true, Trains = true },
        new("llama-tiny") { Generates = true, Trains = true, TrainsToWeights = true, TrainsAdapters = true },
        new("llama-tiny-dynamic") { Generates = true },
        new("llama-tiny-linear") { Generates = true },
        new("llama-tiny-llama3") { Generates = true },
        new("llama-tiny-rope-parameters") { Generates = true },
        new("llama-tiny-yarn") { Generates = true },
        new("min-dalle-tiny"),
        new("mistral-tiny") { Generates = true, Trains = true },
        new("musicgen-decoder-tiny"),
        new("opt-tiny") { Generates = true, Trains = true },
        new("phi3-tiny") { Generates = true, Trains = true },
        new("qwen2-tiny") { Generates = true },
        new("qwen3-tiny") { Generates = true, Trains = true },
        new("roberta-tiny") { Infills = true, Trains = true, TrainsToWeights = true },
        new("smollm3-tiny") { Generates = true },
        new("t5-encoder-tiny"),
        new("t5-tiny") { Trains = true, TrainsToWeights = true, TrainsAdapters = true },
        new("t5-v1_1-tiny") { Trains = true, TrainsToWeights = true },
    ];
}
