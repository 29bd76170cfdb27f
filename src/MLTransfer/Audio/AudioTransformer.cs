using MLTransfer;
using MLTransfer.Audio;
using MLTransfer.Columns;
using MLTransfer.Persistence;
using Microsoft.ML;
using Microsoft.ML.Runtime;

[assembly: LoadableClass("Reads, converts, writes or draws sounds", typeof(AudioTransformer), typeof(AudioTransformer), null,
    typeof(SignatureLoadModel), "Audio", AudioTransformer.LoaderSignature)]

namespace MLTransfer;

/// <summary>
/// Reads, converts, writes or draws the sounds of a column, row by row and only where the new column is asked for. Made by
/// <see cref="AudioEstimator"/>.
/// </summary>
public sealed class AudioTransformer : ColumnMappingTransformer
{
    internal const string LoaderSignature = "AudioTransformer";

    private static readonly ModelPart<AudioManifest> s_part = new("SOUNDROW", LoaderSignature, "audio transformer");

    private readonly string _output;
    private readonly string _input;
    private readonly AudioOperation _operation;

    internal AudioTransformer(string output, string input, AudioOperation operation)
        : base(batchSize: 1) => (_output, _input, _operation) = (output, input, operation);

    private protected override IReadOnlyList<OutputColumn> Outputs => [new(_output, _operation.OutputType)];

    internal static ColumnRole RoleOf(string input, AudioOperation operation) =>
        new("input", input, operation.Accepted, operation.Expected);

    // Called by ML.NET when it loads a model file.
    internal static AudioTransformer Create(IHostEnvironment env, ModelLoadContext ctx) => s_part.Read(ctx, reader =>
        new AudioTransformer(reader.Manifest.Output, reader.Manifest.Input, reader.Manifest.Operation));

    private protected override IReadOnlyList<DataViewSchema.Column> FindInputs(DataViewSchema schema) =>
        [RoleOf(_input, _operation).Find(schema)];

    private protected override MappedBatch CreateBatch(
        DataViewRow source, IReadOnlyList<DataViewSchema.Column> inputs, int slots) => _operation.CreateBatch(source, inputs[0], slots);

    private protected override void Save(ModelSaveContext context) => s_part.Write(context, writer =>
        new AudioManifest { Output = _output, Input = _input, Operation = _operation, Files = writer.Files });

    private protected override void Free()
    {
        // nothing native is held
    }
}
