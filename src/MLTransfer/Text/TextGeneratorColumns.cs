using System.Text.Json.Serialization;
using Microsoft.ML;
using Microsoft.ML.Data;
using static Microsoft.ML.SchemaShape.Column;

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

    /// <summary>What the model was trained to write after <see cref="Input"/>; null where it was not.</summary>
    public string? Completion { get; init; }

    /// <summary>Generated texts of one prompt; more than one makes <see cref="Output"/> a vector.</summary>
    public required int SequencesPerPrompt { get; init; }

    public static TextGeneratorColumns Create(
        string output, string? input, GeneratedTextOptions options, string? training = null, string? completion = null)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(output, "outputColumnName");
        if (input is not null)
            ArgumentException.ThrowIfNullOrWhiteSpace(input, "inputColumnName");
        var columns = new TextGeneratorColumns
        {
            Input = input ?? output,
            Output = output,
            TokenIds = options.TokenIdsColumnName,
            LogProbabilities = options.LogProbabilitiesColumnName,
            Training = training,
            Completion = completion,
            SequencesPerPrompt = options.Generation.SequencesPerPrompt,
        };
        var names = columns.Generated.Select(column => column.Name).ToList();
        if (names.GroupBy(name => name).FirstOrDefault(group => group.Count() > 1) is { } twice)
            throw new ArgumentException($"Two generated columns are called '{twice.Key}'; give each its own name.");
        return columns;
    }

    /// <summary>The generated columns in the order of the output schema.</summary>
    [JsonIgnore]
    public IEnumerable<(GeneratedColumn Kind, string Name, DataViewType Type)> Generated
    {
        get
        {
            yield return (GeneratedColumn.Text, Output,
                SequencesPerPrompt > 1 ? new VectorDataViewType(TextDataViewType.Instance, SequencesPerPrompt) : TextDataViewType.Instance);
            if (TokenIds is not null)
                yield return (GeneratedColumn.TokenIds, TokenIds, new VectorDataViewType(NumberDataViewType.Int32));
            if (LogProbabilities is not null)
                yield return (GeneratedColumn.LogProbabilities, LogProbabilities, new VectorDataViewType(NumberDataViewType.Single));
        }
    }

    /// <summary>The columns that training reads, with what they are for.</summary>
    [JsonIgnore]
    public IEnumerable<(string Role, string Name)> Trained
    {
        get
        {
            if (Training is not null)
                yield return ("training", Training);
            if (Completion is not null)
                yield return ("completion", Completion);
        }
    }

    /// <summary>The schema after the generator.</summary>
    public SchemaShape GetOutputSchema(SchemaShape inputSchema, bool withTraining)
    {
        CheckText(inputSchema, "input", Input);
        foreach (var (role, name) in withTraining ? Trained : [])
            CheckText(inputSchema, role, name);
        var columns = inputSchema.ToDictionary(column => column.Name);
        foreach (var (_, name, type) in Generated)
        {
            var kind = type is VectorDataViewType vector
                ? vector.IsKnownSize ? VectorKind.Vector : VectorKind.VariableVector
                : VectorKind.Scalar;
            columns[name] = new SchemaShape.Column(name, kind, type.GetItemType(), isKey: false);
        }

        return new SchemaShape(columns.Values);
    }

    /// <summary>Checks the columns that training reads, which of whole texts is not the input column.</summary>
    /// <exception cref="ArgumentException">A column is missing, or does not hold text.</exception>
    public void CheckTrained(SchemaShape schema)
    {
        if (Completion is not null)
            CheckText(schema, "input", Input);
        foreach (var (role, name) in Trained)
            CheckText(schema, role, name);
    }

    /// <summary>Finds a text column.</summary>
    /// <exception cref="ArgumentException">There is no such column, or it has another type.</exception>
    public static DataViewSchema.Column FindText(DataViewSchema schema, string role, string name)
    {
        if (schema.GetColumnOrNull(name) is not { } column)
            throw Missing(role, name, schema.Where(c => !c.IsHidden).Select(c => c.Name));
        return column.Type is TextDataViewType ? column : throw WrongType(role, name, column.Type.ToString()!);
    }

    private static void CheckText(SchemaShape schema, string role, string name)
    {
        if (!schema.TryFindColumn(name, out var column))
            throw Missing(role, name, schema.Select(c => c.Name));
        if (column is not { Kind: VectorKind.Scalar, ItemType: TextDataViewType, IsKey: false })
            throw WrongType(role, name, column.GetTypeString());
    }

    private static ArgumentException Missing(string role, string name, IEnumerable<string> present) =>
        new($"Could not find {role} column '{name}'. The data has the columns {string.Join(", ", present.Select(p => $"'{p}'"))}.");

    private static ArgumentException WrongType(string role, string name, string type) =>
        new($"Schema mismatch for {role} column '{name}': expected text, got {type}.");
}
