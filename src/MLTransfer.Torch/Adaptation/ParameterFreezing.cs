using System.IO.Enumeration;
using MLTransfer.Torch.Networks;

namespace MLTransfer.Torch.Adaptation;

/// <summary>Excludes parameters from training.</summary>
public static class ParameterFreezing
{
    /// <summary>Freezes the parameters whose name matches a pattern with <c>*</c> and <c>?</c>, such as <c>transformer.wte.*</c>.</summary>
    /// <exception cref="ArgumentException">The pattern matches no parameter, or nothing would be left to train. Nothing is frozen
    /// then.</exception>
    public static void FreezeByName(GenerativeNetwork model, params IReadOnlyList<string> patterns)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(patterns);
        var matches = new HashSet<string>();
        foreach (var pattern in patterns)
        {
            var names = model.named_parameters().Select(p => p.name).Where(name => Matches(pattern, name)).ToList();
            if (names.Count == 0)
            {
                var example = model.named_parameters().First().name;
                throw new ArgumentException(
                    $"Freezing pattern '{pattern}' matches no parameter. Names look like '{example}'.", nameof(patterns));
            }

            matches.UnionWith(names);
        }

        if (model.TrainableParameters().All(p => matches.Contains(p.Name)))
            throw new ArgumentException($"Freezing '{string.Join("', '", patterns)}' leaves nothing to train.", nameof(patterns));
        foreach (var (_, parameter) in model.named_parameters().Where(p => matches.Contains(p.name)))
            parameter.requires_grad = false;
    }

    /// <summary>
    /// Freezes the embeddings and all blocks but the last <paramref name="trainableBlocks"/>; the final norm stays trainable.
    /// </summary>
    /// <remarks>An output head that is tied to the token embedding is frozen with it.</remarks>
    public static void FreezeAllButLastBlocks(GenerativeNetwork model, int trainableBlocks)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentOutOfRangeException.ThrowIfNegative(trainableBlocks);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(trainableBlocks, model.BlockPrefixes.Count);
        var frozenBlocks = model.BlockPrefixes.Take(model.BlockPrefixes.Count - trainableBlocks).ToList();
        foreach (var (name, parameter) in model.named_parameters())
        {
            if (model.IsEmbedding(name) || frozenBlocks.Any(prefix => name.StartsWith(prefix, StringComparison.Ordinal)))
                parameter.requires_grad = false;
        }
    }

    private static bool Matches(string pattern, string name) => FileSystemName.MatchesSimpleExpression(pattern, name, ignoreCase: false);
}
