using Microsoft.ML;

namespace MLTransfer;

/// <summary>Finds the transformer in a chain that something is asked of.</summary>
internal static class TransformerChain
{
    /// <summary>The first transformer that can do something, and those before it.</summary>
    /// <param name="model">A transformer, or a chain of transformers or chains.</param>
    /// <param name="wanted">What is looked for, after "The model has", such as "no text generator".</param>
    /// <exception cref="ArgumentException">There is none; the message lists what there is.</exception>
    public static (IReadOnlyList<ITransformer> Before, T Found) Find<T>(ITransformer model, string wanted)
    {
        ArgumentNullException.ThrowIfNull(model);
        var before = new List<ITransformer>();
        foreach (var transformer in All(model))
        {
            if (transformer is T found)
                return (before, found);
            before.Add(transformer);
        }

        throw new ArgumentException(
            $"The model has {wanted}; it consists of {string.Join(", ", before.Select(transformer => transformer.GetType().Name))}.",
            nameof(model));
    }

    /// <summary>The transformers of a chain of transformers or chains, in order.</summary>
    public static IEnumerable<ITransformer> All(ITransformer model) =>
        model is IEnumerable<ITransformer> chain ? chain.SelectMany(All) : [model];
}
