using System.Globalization;
using Google.Protobuf;
using MLTransfer.Onnx.Schema;

namespace MLTransfer.Onnx.Graphs;

/// <summary>Writes a graph as an ONNX file, one weight after the other, so that the file is never in memory as a whole.</summary>
/// <remarks>
/// A protobuf message may list its fields in any order: all that is small is serialized as usual, then the graph's initializers are
/// appended to the graph's bytes, whose length is known before.
/// </remarks>
internal static class ModelFileWriter
{
    public const string AdapterFile = "adapter.onnx_data";

    /// <summary>Places in data files are multiples of a memory page, so that they can be mapped.</summary>
    private const int PageSize = 4096;

    /// <summary>Tensors with fewer bytes stay in the ONNX file: shapes, scalars and biases, which an optimizer wants to see.</summary>
    private const int SmallestExternalTensor = 4096;

    private const int GraphField = 7;       // ModelProto.graph
    private const int InitializerField = 5; // GraphProto.initializer
    private const int RawDataField = 9;     // TensorProto.raw_data

    /// <param name="path">The file, such as <c>model.onnx</c>; data files lie beside it.</param>
    /// <param name="graph">The graph.</param>
    /// <param name="externalDataFrom">From how many bytes of weights on they go to <c>model.onnx_data</c>.</param>
    public static void Write(string path, GraphBuilder graph, long externalDataFrom)
    {
        var initializers = graph.Initializers;
        var isLarge = initializers.Sum(initializer => initializer.ByteCount) >= externalDataFrom;
        var dataFile = Path.GetFileName(path) + "_data";
        List<(Initializer Initializer, string? File)> places = [.. initializers.Select(initializer => (
            initializer,
            initializer.IsAdapter ? AdapterFile : isLarge && initializer.ByteCount >= SmallestExternalTensor ? dataFile : null))];

        using (var stream = CreateFile(path))
            WriteModel(stream, graph, places);
        foreach (var file in places.Where(place => place.File is not null).GroupBy(place => place.File!, place => place.Initializer))
        {
            var dataPath = Path.Combine(Path.GetDirectoryName(path)!, file.Key);
            // The files of a folder share the adapter.
            if (!File.Exists(dataPath))
                WriteDataFile(dataPath, file);
        }
    }

    /// <summary>Writes a file that has all weights in it.</summary>
    /// <param name="stream">Takes the file, and tells its position.</param>
    /// <param name="graph">The graph.</param>
    public static void Write(Stream stream, GraphBuilder graph) =>
        WriteModel(stream, graph, graph.Initializers.Select(initializer => (initializer, (string?)null)));

    /// <summary>Writes the contents of initializers one after the other, each from a page's start.</summary>
    private static void WriteDataFile(string path, IEnumerable<Initializer> initializers)
    {
        using var stream = CreateFile(path);
        foreach (var initializer in initializers)
        {
            stream.Write(new byte[NextPage(stream.Position) - stream.Position]);
            WriteContent(stream, initializer);
        }
    }

    private static IEnumerable<(Initializer Initializer, TensorProto Header)> WithHeaders(
        IEnumerable<(Initializer Initializer, string? File)> places)
    {
        var ends = new Dictionary<string, long>();
        foreach (var (initializer, file) in places)
        {
            var header = new TensorProto { Name = initializer.Name, DataType = (int)initializer.Type };
            header.Dims.AddRange(initializer.Shape);
            if (file is not null)
            {
                var offset = NextPage(ends.GetValueOrDefault(file));
                ends[file] = offset + initializer.ByteCount;
                header.DataLocation = TensorProto.Types.DataLocation.External;
                AddEntry("location", file);
                AddEntry("offset", offset.ToString(CultureInfo.InvariantCulture));
                AddEntry("length", initializer.ByteCount.ToString(CultureInfo.InvariantCulture));
            }

            yield return (initializer, header);

            void AddEntry(string key, string value) => header.ExternalData.Add(new StringStringEntryProto { Key = key, Value = value });
        }
    }

    private static void WriteModel(Stream stream, GraphBuilder builder, IEnumerable<(Initializer Initializer, string? File)> places)
    {
        List<(Initializer Initializer, TensorProto Header)> tensors = [.. WithHeaders(places)];
        var model = builder.Build();
        var graph = model.Graph;
        model.Graph = null;
        long[] tensorLengths = [.. tensors.Select(tensor => tensor.Header.CalculateSize() + RawDataLength(tensor))];

        model.WriteTo(stream);
        WriteTag(stream, GraphField, graph.CalculateSize() + tensorLengths.Sum(length => LengthDelimited(InitializerField, length)));
        graph.WriteTo(stream);
        for (var i = 0; i < tensors.Count; i++)
        {
            var (initializer, header) = tensors[i];
            WriteTag(stream, InitializerField, tensorLengths[i]);
            header.WriteTo(stream);
            if (IsExternal(header))
                continue;
            WriteTag(stream, RawDataField, initializer.ByteCount);
            WriteContent(stream, initializer);
        }
    }

    private static FileStream CreateFile(string path) =>
        new(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 1 << 16);

    private static void WriteContent(Stream stream, Initializer initializer)
    {
        var start = stream.Position;
        initializer.Write(stream);
        if (stream.Position - start != initializer.ByteCount)
            throw new InvalidOperationException(
                $"{initializer.Name} has {stream.Position - start} bytes; its shape says {initializer.ByteCount}.");
    }

    private static bool IsExternal(TensorProto header) => header.DataLocation == TensorProto.Types.DataLocation.External;

    private static long RawDataLength((Initializer Initializer, TensorProto Header) tensor) =>
        IsExternal(tensor.Header) ? 0 : LengthDelimited(RawDataField, tensor.Initializer.ByteCount);

    /// <summary>The bytes of a field with its tag and its length.</summary>
    private static long LengthDelimited(int field, long length) =>
        VariableLength((ulong)Tag(field)) + VariableLength((ulong)length) + length;

    private static int Tag(int field) => field << 3 | 2; // wire type 2: length-delimited

    private static void WriteTag(Stream stream, int field, long length)
    {
        WriteVariableLength(stream, (ulong)Tag(field));
        WriteVariableLength(stream, (ulong)length);
    }

    private static int VariableLength(ulong value)
    {
        var bytes = 1;
        while ((value >>= 7) != 0)
            bytes++;
        return bytes;
    }

    private static void WriteVariableLength(Stream stream, ulong value)
    {
        for (; value > 127; value >>= 7)
            stream.WriteByte((byte)(value | 128));
        stream.WriteByte((byte)value);
    }

    private static long NextPage(long position) => (position + PageSize - 1) / PageSize * PageSize;
}
