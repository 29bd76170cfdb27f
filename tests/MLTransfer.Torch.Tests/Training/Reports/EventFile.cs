using System.Buffers.Binary;
using System.Numerics;
using Google.Protobuf;
using Tensorboard;

namespace MLTransfer.Torch.Tests.Training.Reports;

/// <summary>Reads event files of TensorBoard: records of a length, its checksum, the content and its checksum (TFRecord).</summary>
internal static class EventFile
{
    /// <summary>The events of the one file in a folder.</summary>
    public static List<Event> Read(string folder)
    {
        var bytes = File.ReadAllBytes(Directory.GetFiles(folder, "events.out.tfevents.*").Single()).AsSpan();
        var events = new List<Event>();
        while (!bytes.IsEmpty)
        {
            var length = (int)BinaryPrimitives.ReadUInt64LittleEndian(bytes);
            Check(bytes[..8], bytes[8..12]);
            Check(bytes.Slice(12, length), bytes.Slice(12 + length, 4));
            events.Add(Event.Parser.ParseFrom(new CodedInputStream(bytes.Slice(12, length).ToArray())));
            bytes = bytes[(16 + length)..];
        }

        return events;
    }

    public static List<(string Tag, int Step, double Value)> Scalars(string folder) =>
    [
        .. Read(folder).SelectMany(e => (e.Summary?.Value ?? []).Select(value => (Event: e, Value: value)))
            .Where(entry => entry.Value.ValueCase == Summary.Types.Value.ValueOneofCase.SimpleValue)
            .Select(entry => (entry.Value.Tag, (int)entry.Event.Step, (double)entry.Value.SimpleValue))
            .OrderBy(scalar => scalar.Item2).ThenBy(scalar => scalar.Tag, StringComparer.Ordinal),
    ];

    /// <summary>The masked CRC-32C of TensorFlow's record files.</summary>
    private static void Check(ReadOnlySpan<byte> content, ReadOnlySpan<byte> stored)
    {
        var checksum = uint.MaxValue;
        foreach (var value in content)
            checksum = BitOperations.Crc32C(checksum, value);
        checksum = BitOperations.RotateRight(~checksum, 15) + 0xa282ead8;
        if (checksum != BinaryPrimitives.ReadUInt32LittleEndian(stored))
            throw new InvalidDataException("A record's checksum is wrong.");
    }
}
