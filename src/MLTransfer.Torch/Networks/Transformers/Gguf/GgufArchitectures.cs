using System.Collections.Immutable;

namespace MLTransfer.Torch.Networks.Transformers.Gguf;

/// <summary>The architectures of GGUF files that are written and read: one row each.</summary>
internal static class GgufArchitectures
{
    public static ImmutableArray<GgufArchitecture> All { get; } =
    [
        Gpt2Gguf.Architecture, LlamaGguf.Llama, LlamaGguf.Qwen2, LlamaGguf.Qwen3, LlamaGguf.Phi3, GemmaGguf.Gemma2, GemmaGguf.Gemma3,
        GptNeoXGguf.Architecture, T5Gguf.Architecture,
    ];

    /// <summary>What the files of a family are.</summary>
    /// <exception cref="NotSupportedException">llama.cpp does not know the family.</exception>
    public static GgufArchitecture OfFamily(string modelType) =>
        All.FirstOrDefault(architecture => architecture.ModelTypes.Contains(modelType))
        ?? throw new NotSupportedException(
            $"A model of type '{modelType}' cannot be written as GGUF. These can: "
            + $"{string.Join(", ", All.SelectMany(architecture => architecture.ModelTypes))}.");

    /// <summary>What a file's <c>general.architecture</c> is.</summary>
    /// <exception cref="NotSupportedException">It is not known.</exception>
    public static GgufArchitecture Of(string name, string location) => All.FirstOrDefault(architecture => architecture.Name == name)
        ?? throw new NotSupportedException(
            $"'{location}': the architecture '{name}' is not read. These are: {string.Join(", ", All.Select(known => known.Name))}.");
}
