using System.Text.Json.Serialization;
using Microsoft.ML.Data;
using MLTransfer.Columns;

namespace MLTransfer.Text.Infilling;

/// <summary>The columns that a text infiller reads and makes; part of a saved model.</summary>
internal sealed record TextInfillerColumns
{
    /// <summary>The text with masks.</summary>
    public required string Input { get; init; }

    /// <summary>The filled text.</summary>
    public required string Output { get; init; }

    /// <summary>The tokens that the masks were filled with, or null.</summary>
    public string? Tokens { get; init; }

    /// <summary>Their log-probabilities, or null.</summary>
    public string? LogProbabilities { get; init; }

    /// <summary>The best tokens of each mask, or null.</summary>
    public string? Candidates { get; init; }

    /// <summary>Their log-probabilities, or null.</summary>
    public string? CandidateLogProbabilities { get; init; }

    /// <summary>The texts that the model was trained on; null where it was not.</summary>
    public string? Training { get; init; }

    public static TextInfillerColumns Create(string output, string? input, InfillTextOptions options, string? training = null)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(output, "outputColumnName");
        if (input is not null)
            ArgumentException.ThrowIfNullOrWhiteSpace(input, "inputColumnName");
        var columns = new TextInfillerColumns
        {
            Input = input ?? output,
            Output = output,
            Tokens = options.TokensColumnName,
            LogProbabilities = options.LogProbabilitiesColumnName,
            Candidates = options.CandidatesColumnName,
            CandidateLogProbabilities = options.CandidateLogProbabilitiesColumnName,
            Training = training,
        };
        OutputColumn.ThrowIfNamedTwice(columns.Outputs);
        return columns;
    }

    /// <summary>The made columns in the order of the output schema.</summary>
    [JsonIgnore]
    public IEnumerable<(InfilledColumn Kind, OutputColumn Column)> Made
    {
        get
        {
            yield return (InfilledColumn.Text, new OutputColumn(Output, TextDataViewType.Instance));
            if (Tokens is { } tokens)
                yield return (InfilledColumn.Tokens, new OutputColumn(tokens, new VectorDataViewType(TextDataViewType.Instance)));
            if (LogProbabilities is { } scores)
            {
                yield return (
                    InfilledColumn.LogProbabilities, new OutputColumn(scores, new VectorDataViewType(NumberDataViewType.Single)));
            }

            if (Candidates is { } candidates)
                yield return (InfilledColumn.Candidates, new OutputColumn(candidates, new VectorDataViewType(TextDataViewType.Instance)));
            if (CandidateLogProbabilities is { } candidateScores)
            {
                yield return (
                    InfilledColumn.CandidateLogProbabilities,
                    new OutputColumn(candidateScores, new VectorDataViewType(NumberDataViewType.Single)));
            }
        }
    }

    /// <summary>The made columns in the order of the output schema.</summary>
    [JsonIgnore]
    public IReadOnlyList<OutputColumn> Outputs => [.. Made.Select(made => made.Column)];

    /// <summary>The texts with masks.</summary>
    [JsonIgnore]
    public ColumnRole InputRole => ColumnRole.Text("input", Input);

    /// <summary>The texts that the model learns, or is evaluated with.</summary>
    [JsonIgnore]
    public ColumnRole TrainingRole => ColumnRole.Text("training", Training ?? Input);
}
