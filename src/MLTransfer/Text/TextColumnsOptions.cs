using MLTransfer.Torch.Generation;

namespace MLTransfer;

/// <summary>How a transformer generates text, and which columns it makes, whatever runs the model.</summary>
public abstract class TextColumnsOptions
{
    /// <summary>
    /// Length, sampling, beams, stop strings and seed of generation. Without a seed it takes that of the <c>MLContext</c>. In a pipeline a
    /// text has up to 1,048,576 new tokens, and a prompt up to 1024 texts.
    /// </summary>
    public GenerationOptions Generation = new();

    /// <summary>
    /// Prompts that are continued together, up to 65,536. Any number gives the same texts; more are faster and take more memory. It goes
    /// before <see cref="GenerationOptions.BatchSize"/>.
    /// </summary>
    public int GenerationBatchSize = 8;

    /// <summary>
    /// The column for the generated tokens' ids, a vector of <see cref="int"/> of variable length; null for none. Needs one sequence a
    /// prompt.
    /// </summary>
    public string? TokenIdsColumnName;

    /// <summary>
    /// The column for the natural logarithms of the generated tokens' probabilities, a vector of <see cref="float"/> of variable length;
    /// null for none. Needs one sequence a prompt.
    /// </summary>
    public string? LogProbabilitiesColumnName;

    /// <summary>
    /// The text column of chats, a JSON array of messages a row in OpenAI's format (<c>role</c>, <c>content</c>, <c>tool_calls</c>), or an
    /// object with <c>messages</c> and <c>tools</c>; null: the model reads plain texts. The generator's input is chats then, and training
    /// learns what the assistant says. Rows of single messages become chats with <c>ml.Data.GroupChats</c>.
    /// </summary>
    public string? ChatColumnName;

    /// <summary>How chats become tokens; null for defaults. Needs <see cref="ChatColumnName"/>.</summary>
    public ChatTemplateOptions? Chat;

    private protected TextColumnsOptions()
    {
    }

    internal virtual void Check()
    {
        if (Generation is null)
            throw new ArgumentException($"{nameof(Generation)} must not be null.", nameof(Generation));
        CheckGeneration(Generation, GenerationBatchSize);
        OptionCheck.ColumnName(nameof(TokenIdsColumnName), TokenIdsColumnName);
        OptionCheck.ColumnName(nameof(ChatColumnName), ChatColumnName);
        if (Chat is not null && ChatColumnName is null)
            throw new ArgumentException($"{nameof(Chat)} says how chats are read, but {nameof(ChatColumnName)} names no column of them.");
        OptionCheck.ColumnName(nameof(LogProbabilitiesColumnName), LogProbabilitiesColumnName);
        if (Generation.SequencesPerPrompt > 1 && (TokenIdsColumnName ?? LogProbabilitiesColumnName) is not null)
        {
            var option = TokenIdsColumnName is not null ? nameof(TokenIdsColumnName) : nameof(LogProbabilitiesColumnName);
            throw new ArgumentException(
                $"{option} needs {nameof(GenerationOptions.SequencesPerPrompt)} = 1; it is {Generation.SequencesPerPrompt}.", option);
        }
    }

    /// <summary>Checks how texts are generated in a pipeline, which anybody may ask for in a model file.</summary>
    /// <exception cref="ArgumentException">An option is not usable; the message names it.</exception>
    internal static void CheckGeneration(GenerationOptions generation, int batchSize)
    {
        generation.Check();
        OptionCheck.AtMost(
            nameof(generation.MaximumNewTokens), generation.MaximumNewTokens, 1 << 20,
            $"the longest text of a pipeline; {nameof(TextGenerationModel)} takes any number");
        OptionCheck.AtMost(
            nameof(generation.SequencesPerPrompt), generation.SequencesPerPrompt, GenerationOptions.MostBeams,
            "the most texts of a prompt in a pipeline");
        OptionCheck.AtLeast(nameof(GenerationBatchSize), batchSize, 1);
        OptionCheck.AtMost(nameof(GenerationBatchSize), batchSize, GenerationOptions.MostPrompts, "the largest batch");
    }
}
