using System.Text.Json.Serialization;
using MLTransfer.Columns;
using MLTransfer.Text.Chats;
using Microsoft.ML.Data;

namespace MLTransfer.Text;

/// <summary>The columns that a text generator reads and makes; part of a saved model.</summary>
internal sealed record TextGeneratorColumns
{
    /// <summary>The prompt.</summary>
    public required string Input { get; init; }

    /// <summary>The generated text.</summary>
    public required string Output { get; init; }

    /// <summary>The generated tokens' ids, or null.</summary>
    public string? TokenIds { get; init; }

    /// <summary>The logarithms of the generated tokens' probabilities, or null.</summary>
    public string? LogProbabilities { get; init; }

    /// <summary>The whole texts that the model was trained on; null where it was not, or on completions.</summary>
    public string? Training { get; init; }

    /// <summary>
    /// What the model was trained to write after <see cref="Input"/>; null where it was not. Of preferences the chosen texts, or those that
    /// are ranked.
    /// </summary>
    public string? Completion { get; init; }

    /// <summary>What the model was trained to write less often than <see cref="Completion"/>; null where it was not.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Rejected { get; init; }

    /// <summary>What ranks the texts of <see cref="Completion"/>; null where nothing does.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Score { get; init; }

    /// <summary>
    /// How the input and what the model was trained on are read where they are chats; null where they are plain texts, as in files of
    /// earlier versions.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public ChatForm? Chat { get; init; }

    /// <summary>Generated texts of one prompt; more than one makes <see cref="Output"/> a vector.</summary>
    public required int SequencesPerPrompt { get; init; }

    public static TextGeneratorColumns Create(
        string output, string? input, TextColumnsOptions options, string? training = null, string? completion = null)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(output, "outputColumnName");
        if (input is not null)
            ArgumentException.ThrowIfNullOrWhiteSpace(input, "inputColumnName");
        if (training is null && completion is null && options.ChatColumnName is { } chats && (input ?? chats) != chats)
        {
            throw new ArgumentException(
                $"The input of a model that is not trained is its chats: '{input}' is given as the input column, '{chats}' as "
                + $"{nameof(options.ChatColumnName)}. Give the same name.");
        }

        var columns = new TextGeneratorColumns
        {
            Input = input ?? options.ChatColumnName ?? output,
            Output = output,
            TokenIds = options.TokenIdsColumnName,
            LogProbabilities = options.LogProbabilitiesColumnName,
            Training = training,
            Completion = completion,
            Chat = options.ChatColumnName is null ? null : (options.Chat ?? new ChatTemplateOptions()).ToForm(),
            SequencesPerPrompt = options.Generation.SequencesPerPrompt,
        };
        OutputColumn.ThrowIfNamedTwice(columns.Outputs);
        return columns;
    }

    /// <summary>The generated columns in the order of the output schema.</summary>
    [JsonIgnore]
    public IEnumerable<(GeneratedColumn Kind, OutputColumn Column)> Generated
    {
        get
        {
            yield return (GeneratedColumn.Text, new OutputColumn(Output,
                SequencesPerPrompt > 1
                    ? new VectorDataViewType(TextDataViewType.Instance, SequencesPerPrompt)
                    : TextDataViewType.Instance));
            if (TokenIds is { } ids)
                yield return (GeneratedColumn.TokenIds, new OutputColumn(ids, new VectorDataViewType(NumberDataViewType.Int32)));
            if (LogProbabilities is { } scores)
            {
                yield return (
                    GeneratedColumn.LogProbabilities, new OutputColumn(scores, new VectorDataViewType(NumberDataViewType.Single)));
            }
        }
    }

    /// <summary>The generated columns in the order of the output schema.</summary>
    [JsonIgnore]
    public IReadOnlyList<OutputColumn> Outputs => [.. Generated.Select(generated => generated.Column)];

    /// <summary>The prompts.</summary>
    [JsonIgnore]
    public ColumnRole InputRole => ColumnRole.Text("input", Input);

    /// <summary>All columns that generation reads, <see cref="InputRole"/> first.</summary>
    [JsonIgnore]
    public IEnumerable<ColumnRole> InputRoles => WithTools(InputRole);

    /// <summary>What the model learns to write, or is evaluated with: whole texts, or completions of <see cref="InputRole"/>.</summary>
    [JsonIgnore]
    public ColumnRole TextRole => Completion is { } completion
        ? ColumnRole.Text(Rejected is null ? "completion" : "chosen", completion)
        : ColumnRole.Text(Chat is null ? "training" : "chat", Training ?? Input);

    /// <summary>The columns that training reads.</summary>
    [JsonIgnore]
    public IEnumerable<ColumnRole> TrainingRoles =>
        Completion is null ? WithTools(TextRole) : [.. InputRoles, TextRole, .. new[] { RejectedRole, ScoreRole }.OfType<ColumnRole>()];

    /// <summary>The texts that were preferred less; null where there is no column of them.</summary>
    [JsonIgnore]
    public ColumnRole? RejectedRole => Rejected is null ? null : ColumnRole.Text("rejected", Rejected);

    /// <summary>What ranks texts; null where there is no column of it.</summary>
    [JsonIgnore]
    public ColumnRole? ScoreRole => Score is null ? null
        : new ColumnRole("score", Score, ColumnKind.Number | ColumnKind.Boolean, "a number or true and false");

    /// <summary>Whether the model was trained on preferences.</summary>
    [JsonIgnore]
    public bool ArePreferences => (Rejected ?? Score) is not null;

    private IEnumerable<ColumnRole> WithTools(ColumnRole role) => Chat is { } form ? ChatCursor.Columns(role, form) : [role];
}
