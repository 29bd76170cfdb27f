using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Numbers.Reports;

/// <summary>The nodes and initializers of an ONNX file as text, read without a library: protobuf's wire format is simple.</summary>
internal sealed class OnnxFile
{
    private readonly Dictionary<string, string> _outputs = [];

    private OnnxFile(byte[] bytes)
    {
        var (nodes, initializers, values) = (new StringBuilder(), new StringBuilder(), new StringBuilder());
        foreach (var (field, number, content) in Fields(bytes))
        {
            switch (field)
            {
                case 1: values.AppendLine(CultureInfo.InvariantCulture, $"format {number}"); break;
                case 2 or 3: values.AppendLine(Encoding.UTF8.GetString(content.Span)); break;
                case 8: values.AppendLine(Hash("operators", content)); break;
                case 7:
                    foreach (var part in Fields(content))
                    {
                        switch (part.Field)
                        {
                            case 1:
                                Nodes++;
                                nodes.AppendLine(Node(part.Content));
                                _outputs[Text(part.Content, 4)] = Text(part.Content, 2);
                                break;
                            case 2: values.AppendLine(Encoding.UTF8.GetString(part.Content.Span)); break;
                            case 5: Initializers++; initializers.AppendLine(Initializer(part.Content)); break;
                            case 11: values.AppendLine(Hash("input " + Text(part.Content, 1), part.Content)); break;
                            case 12: values.AppendLine(Hash("output " + Text(part.Content, 1), part.Content)); break;
                            case 13: values.AppendLine(Hash("value " + Text(part.Content, 1), part.Content)); break;
                            default: values.AppendLine(Hash($"graph field {part.Field}", part.Content)); break;
                        }
                    }

                    break;
                default: values.AppendLine(Hash($"field {field}", content)); break;
            }
        }

        (NodeList, InitializerList, ValueList) = (nodes.ToString(), initializers.ToString(), values.ToString());
    }

    public int Nodes { get; }

    public int Initializers { get; }

    /// <summary>Of each node: name, domain and operator, inputs, outputs, attributes' hash.</summary>
    public string NodeList { get; }

    /// <summary>Of each initializer: name, type, shape, content's hash.</summary>
    public string InitializerList { get; }

    /// <summary>The rest: versions, inputs, outputs.</summary>
    public string ValueList { get; }

    /// <summary>The first output of the last node with an operator, under whatever name this build gives it.</summary>
    public string OutputOf(string nodeOperator) => _outputs[nodeOperator];

    public static OnnxFile Read(string path) => new(File.ReadAllBytes(path));

    private static string Node(ReadOnlyMemory<byte> node)
    {
        var fields = Fields(node).ToList();
        return $"{All(7)}:{All(4)} {All(3)} ({All(1)}) -> ({All(2)}) {Convert.ToHexStringLower(SHA256.HashData(
            [.. fields.Where(f => f.Field is not (1 or 2 or 3 or 4 or 7)).SelectMany(f => f.Content.ToArray())]))}";

        string All(int field) =>
            string.Join(", ", fields.Where(f => f.Field == field).Select(f => Encoding.UTF8.GetString(f.Content.Span)));
    }

    private static string Initializer(ReadOnlyMemory<byte> tensor)
    {
        var fields = Fields(tensor).ToList();
        var shape = fields.Where(f => f.Field == 1).SelectMany(f => f.Content.IsEmpty ? [f.Number] : Packed(f.Content));
        var content = fields.Where(f => f.Field is not (1 or 2 or 8))
            .SelectMany(f => f.Content.IsEmpty ? BitConverter.GetBytes(f.Number) : f.Content.ToArray());
        var hash = Convert.ToHexStringLower(SHA256.HashData(content.ToArray()));
        return $"{Text(tensor, 8)} type {fields.Find(f => f.Field == 2).Number} [{string.Join(", ", shape)}] {hash}";
    }

    private static string Hash(string name, ReadOnlyMemory<byte> content) =>
        $"{name} {Convert.ToHexStringLower(SHA256.HashData(content.Span))}";

    private static string Text(ReadOnlyMemory<byte> message, int field) =>
        Fields(message).Where(f => f.Field == field).Select(f => Encoding.UTF8.GetString(f.Content.Span)).FirstOrDefault("");

    private static IEnumerable<ulong> Packed(ReadOnlyMemory<byte> content)
    {
        for (var at = 0; at < content.Length;)
            yield return Variable(content, ref at);
    }

    private static IEnumerable<(int Field, ulong Number, ReadOnlyMemory<byte> Content)> Fields(ReadOnlyMemory<byte> message)
    {
        for (var at = 0; at < message.Length;)
        {
            var tag = Variable(message, ref at);
            var field = (int)(tag >> 3);
            switch (tag & 7)
            {
                case 0:
                    yield return (field, Variable(message, ref at), default);
                    break;
                case 2:
                    var length = (int)Variable(message, ref at);
                    yield return (field, 0, message.Slice(at, length));
                    at += length;
                    break;
                case var type:
                    var size = type == 1 ? 8 : type == 5 ? 4 : throw new InvalidDataException($"Wire type {type} at {at}.");
                    yield return (field, 0, message.Slice(at, size));
                    at += size;
                    break;
            }
        }
    }

    private static ulong Variable(ReadOnlyMemory<byte> message, ref int at)
    {
        var value = 0UL;
        for (var shift = 0; ; shift += 7)
        {
            var part = message.Span[at++];
            value |= (ulong)(part & 127) << shift;
            if (part < 128)
                return value;
        }
    }
}
