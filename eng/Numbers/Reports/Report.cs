using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using static TorchSharp.torch;

namespace Numbers.Reports;

/// <summary>Lines of a name, the SHA-256 of a quantity's bytes, and its first values.</summary>
/// <param name="dump">A folder that gets each quantity's bytes as a file; null for none.</param>
internal sealed class Report(string? dump)
{
    private const int Shown = 4;

    private readonly SortedDictionary<string, string> _lines = new(StringComparer.Ordinal);

    /// <summary>Quantities that this program itself knows to be wrong.</summary>
    public List<string> Faults { get; } = [];

    public IEnumerable<string> Lines => _lines.Values;

    /// <summary>Runs one case with a dispose scope and a seed of its own. What it throws becomes a line.</summary>
    public void Case(string name, Action action)
    {
        try
        {
            using var scope = NewDisposeScope();
            manual_seed(1);
            var clock = System.Diagnostics.Stopwatch.StartNew();
            action();
            if (clock.Elapsed.TotalSeconds > 1 && Environment.GetEnvironmentVariable("NUMBERS_TIMES") is not null)
                Console.Error.WriteLine($"    {name}: {clock.Elapsed.TotalSeconds:F1} s");
        }
        catch (Exception exception)
        {
            var message = exception.ToString().Split('\n');
            Console.Error.WriteLine($"{name}: {string.Join('\n', message.Take(12))}");
            Faults.Add(name);
            Add(name + "/error", [], $"{exception.GetType().Name}: {Scratch.Hide(exception.Message)}");
        }
    }

    public string Add(string name, ReadOnlySpan<byte> bytes, string values)
    {
        if (dump is not null)
            File.WriteAllBytes(Path.Combine(dump, name.Replace('/', '~')), bytes);
        return AddHash(name, SHA256.HashData(bytes), values);
    }

    public string Tensor(string name, Tensor tensor)
    {
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        var plain = tensor.detach().cpu().contiguous();
        return Add(name, plain.bytes, First(plain));
    }

    /// <summary>All tensors in the order of their names, one after the other. The names do not count.</summary>
    public string Tensors(string name, IEnumerable<(string Name, Tensor Tensor)> tensors)
    {
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        using var file = dump is null ? null : File.Create(Path.Combine(dump, name.Replace('/', '~')));
        var (values, count) = ("", 0);
        foreach (var (_, tensor) in tensors.OrderBy(t => t.Name, StringComparer.Ordinal))
        {
            using var inner = NewDisposeScope();
            var plain = tensor.detach().cpu().contiguous();
            hash.AppendData(plain.bytes);
            file?.Write(plain.bytes);
            if (count++ < Shown)
                values += (values.Length > 0 ? " " : "") + First(plain, 1);
        }

        return AddHash(name, hash.GetHashAndReset(), $"{values} ({count} tensors)");
    }

    public string Numbers(string name, params IEnumerable<double> numbers)
    {
        var array = numbers.ToArray();
        return Add(name, MemoryMarshal.AsBytes<double>(array),
            string.Join(' ', array.Take(Shown).Select(x => x.ToString("R", CultureInfo.InvariantCulture))));
    }

    public string Numbers(string name, IEnumerable<float> numbers)
    {
        var array = numbers.ToArray();
        return Add(name, MemoryMarshal.AsBytes<float>(array),
            string.Join(' ', array.Take(Shown).Select(x => x.ToString("R", CultureInfo.InvariantCulture))));
    }

    public string Ids(string name, IEnumerable<int> ids)
    {
        var array = ids.ToArray();
        return Add(name, MemoryMarshal.AsBytes<int>(array), string.Join(' ', array.Take(2 * Shown)) + $" ({array.Length})");
    }

    public string Text(string name, string text) =>
        Add(name, Encoding.UTF8.GetBytes(text), Shorten(text));

    public string FileBytes(string name, string path) => AddFile(name, path);

    /// <summary>A line for each file of a folder and the folders in it.</summary>
    public void Folder(string name, string folder, Func<string, bool>? isMeant = null)
    {
        foreach (var path in Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
        {
            var relative = Path.GetRelativePath(folder, path).Replace('\\', '/');
            if (isMeant?.Invoke(relative) ?? true)
                AddFile($"{name}/{relative}", path);
        }
    }

    /// <summary>
    /// What the checkpoints and the log of a training run say, less times. A fingerprint may change with the names and the order of
    /// options.
    /// </summary>
    public void RunFiles(string name, string folder)
    {
        Text($"{name}/metrics",
            string.Join('\n', File.ReadLines(Path.Combine(folder, "metrics.jsonl")).Select(line => Reduced(line, "second"))));
        foreach (var path in Directory.EnumerateFiles(folder, "*_state.json", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
        {
            var relative = Path.GetRelativePath(folder, path);
            var content = File.ReadAllText(path);
            Text($"{name}/{relative}/state", Reduced(content, "ingerprint"));
            Text($"{name}/{relative}/fingerprint",
                JsonNode.Parse(content)!.AsObject().Single(entry => IsOf(entry.Key, "ingerprint")).Value!.GetValue<string>());
        }

        static string Reduced(string json, string left)
        {
            var node = JsonNode.Parse(json)!.AsObject();
            foreach (var key in node.Select(entry => entry.Key).Where(key => IsOf(key, left)).ToList())
                node.Remove(key);
            return node.ToJsonString();
        }

        static bool IsOf(string key, string part) => key.Contains(part, StringComparison.Ordinal);
    }

    /// <summary>A line that says whether two quantities have the same bytes, which they must.</summary>
    public void Same(string name, string expected, string actual)
    {
        if (expected != actual)
        {
            Console.Error.WriteLine($"{name}: the two differ, which must be the same.");
            Faults.Add(name);
        }

        Add(name, [(byte)(expected == actual ? 1 : 0)], expected == actual ? "same" : "DIFFERENT");
    }

    private string AddFile(string name, string path)
    {
        using var stream = File.OpenRead(path);
        var hash = SHA256.HashData(stream);
        if (dump is not null)
            File.Copy(path, Path.Combine(dump, name.Replace('/', '~')), overwrite: true);
        return AddHash(name, hash, $"{stream.Length} bytes");
    }

    private string AddHash(string name, byte[] hash, string values)
    {
        var text = Convert.ToHexStringLower(hash);
        _lines.Add(name, $"{name}\t{text}\t{values}");
        return text;
    }

    private static string First(Tensor plain, int count = Shown) => string.Join(
        ' ', plain.flatten()[..Math.Min(count, (int)plain.numel())].to(ScalarType.Float64).data<double>().ToArray()
            .Select(x => ((float)x).ToString("R", CultureInfo.InvariantCulture)));

    private static string Shorten(string text)
    {
        var line = string.Concat(text.ReplaceLineEndings("|").Take(90).Select(c => char.IsControl(c) || char.IsSurrogate(c) ? '?' : c));
        return line.Length > 60 ? line[..60] + "..." : line;
    }
}
