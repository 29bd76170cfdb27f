using MLTransfer.Torch.Generation;

namespace MLTransfer;

/// <summary>How <c>mlContext.Generation.EvaluateMemorization</c> makes texts and compares them with the training rows.</summary>
public sealed class TextMemorizationOptions
{
    /// <summary>What the model continues; null for <see cref="PromptColumnName"/>.</summary>
    public IReadOnlyList<string>? Prompts;

    /// <summary>
    /// The column of prompts. Null: the input column of a model that was trained on completions; of others the first
    /// <see cref="PromptLength"/> tokens of rows, as in Carlini et al. 2022 (arXiv 2202.07646).
    /// </summary>
    public string? PromptColumnName;

    /// <summary>The column of training texts; null for the one that the model was trained on.</summary>
    public string? TextColumnName;

    /// <summary>How many tokens of a row are its prompt where there is no column of prompts.</summary>
    public int PromptLength = 10;

    /// <summary>How many rows give a prompt, spread evenly over all of them.</summary>
    public int PromptCount = 100;

    /// <summary>
    /// The tokens in a row that count as copied. 13 is the length that Brown et al. 2020 (arXiv 2005.14165, appendix C) look for;
    /// Lee et al. 2021 (arXiv 2107.06499) and Carlini et al. take 50, which needs
    /// <see cref="GenerationOptions.MaximumNewTokens"/> of more than that.
    /// </summary>
    public int NgramLength = 13;

    /// <summary>How many copied spans are told, the longest.</summary>
    public int ExampleCount = 10;

    /// <summary>How texts are generated; null for the model's own options.</summary>
    public GenerationOptions? Generation;

    /// <param name="ownGeneration">The model's own options.</param>
    /// <returns>The options to generate with.</returns>
    /// <exception cref="ArgumentException">An option is not usable; the message names it.</exception>
    internal GenerationOptions Check(GenerationOptions ownGeneration)
    {
        OptionCheck.ColumnName(nameof(PromptColumnName), PromptColumnName);
        OptionCheck.ColumnName(nameof(TextColumnName), TextColumnName);
        OptionCheck.AtLeast(nameof(PromptLength), PromptLength, 1);
        OptionCheck.AtLeast(nameof(PromptCount), PromptCount, 1);
        OptionCheck.AtLeast(nameof(NgramLength), NgramLength, 1);
        OptionCheck.AtLeast(nameof(ExampleCount), ExampleCount, 0);
        if (Prompts is not null && PromptColumnName is not null)
            throw new ArgumentException($"Give either {nameof(Prompts)} or {nameof(PromptColumnName)}.");
        if (Prompts is { Count: 0 } || Prompts?.Contains(null!) == true)
            throw new ArgumentException($"{nameof(Prompts)} is empty or holds a null; expected texts, or null for those of the data.");
        var generation = Generation ?? ownGeneration;
        generation.Check();
        return generation.MaximumNewTokens >= NgramLength ? generation : throw new ArgumentException(
            $"{nameof(NgramLength)} is {NgramLength}, but at most {generation.MaximumNewTokens} tokens are generated: raise "
            + $"{nameof(Generation)}.{nameof(GenerationOptions.MaximumNewTokens)}.");
    }
}
