using MLTransfer.Columns;
using MLTransfer.Torch.Training;
using Microsoft.ML;
using Microsoft.ML.Runtime;

namespace MLTransfer;

/// <summary>Makes transformers that compute new columns with a network. Columns are checked before anything is loaded or read.</summary>
public abstract class ColumnMappingEstimator<TTransformer> : IEstimator<TTransformer>
    where TTransformer : ColumnMappingTransformer
{
    private readonly string _task;

    /// <param name="environment">The context.</param>
    /// <param name="task">What <see cref="Fit(IDataView)"/> does, for the log.</param>
    private protected ColumnMappingEstimator(IHostEnvironment environment, string task) =>
        (Host, _task) = (environment.Register(GetType().Name), task);

    /// <summary>The estimator's part of the context.</summary>
    private protected IHost Host { get; }

    /// <summary>The columns that fitting or the transformer reads.</summary>
    private protected abstract IEnumerable<ColumnRole> Roles { get; }

    /// <summary>The schema after the transformer that <see cref="Fit(IDataView)"/> makes.</summary>
    /// <exception cref="ArgumentException">
    /// A column is missing or has another type; sizes are checked by <see cref="Fit(IDataView)"/>.
    /// </exception>
    public SchemaShape GetOutputSchema(SchemaShape inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        Check(Roles, inputSchema);
        return OutputColumn.AddTo(inputSchema, Outputs(inputSchema));
    }

    /// <summary>Makes the transformer, and trains its network where the estimator is one that trains.</summary>
    /// <param name="input">Rows with the columns that training reads; where nothing is trained only the schema is looked at.</param>
    /// <exception cref="ArgumentException">
    /// A column is missing or has another type or size, an option does not fit the model, or there is nothing to train on.
    /// </exception>
    /// <exception cref="IOException">The pretrained model cannot be found or read, or a file cannot be written.</exception>
    /// <exception cref="InvalidDataException">The pretrained model is damaged, or the checkpoint to resume from does not fit.</exception>
    /// <exception cref="NotSupportedException">The pretrained model has something that is not supported; the message names it.</exception>
    /// <exception cref="InvalidOperationException">A row's value is missing or not usable; the message names row and column.</exception>
    /// <exception cref="OperationCanceledException">Training was cancelled.</exception>
    /// <exception cref="TrainingDivergedException">A loss became NaN or infinite.</exception>
    public TTransformer Fit(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        Check(Roles, SchemaShape.Create(input.Schema));
        using var channel = Host.Start(_task);
        return Fit(input, channel);
    }

    /// <summary>The columns that the transformer makes.</summary>
    /// <param name="inputSchema">Has the columns of <see cref="Roles"/>.</param>
    private protected abstract IEnumerable<OutputColumn> Outputs(SchemaShape inputSchema);

    /// <summary>Makes the transformer of data whose schema has the columns of <see cref="Roles"/>.</summary>
    private protected abstract TTransformer Fit(IDataView input, IChannel channel);

    /// <summary>The seed of the options, else that of the context.</summary>
    private protected long SeedOf(long? option) => option ?? Seeds.Of(Host);

    private protected static void Check(IEnumerable<ColumnRole> roles, SchemaShape schema)
    {
        foreach (var role in roles)
            role.Check(schema);
    }
}
