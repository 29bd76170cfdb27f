using System.Text.Json.Nodes;
using MLTransfer.Torch.Memory;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Checkpoints.Pickle;

/// <summary>
/// Weights that <c>torch.save</c> wrote (PyTorch 1.6 and later): a zip with a pickled dictionary of tensors, <c>ROOT/data.pkl</c>, and one
/// entry <c>ROOT/data/KEY</c> for each storage. The pickle is read by an interpreter that can build tensors and plain data only.
/// </summary>
internal sealed class PickledFile : Checkpoint
{
    private const int MaximumPickleLength = 64 << 20;

    private readonly MappedFile _file;
    private readonly PickleDictionary _root;
    private readonly Dictionary<string, PickledTensor> _pickled;
    private readonly Dictionary<string, TensorInfo> _tensors;
    private readonly Dictionary<string, Lazy<StoredData>> _storages;
    private volatile bool _disposed;

    private PickledFile(
        MappedFile file, PickleDictionary root, Dictionary<string, PickledTensor> pickled, Dictionary<string, Lazy<StoredData>> storages)
        : base(file.Path)
    {
        _file = file;
        _root = root;
        _pickled = pickled;
        _storages = storages;
        _tensors = pickled.ToDictionary(
            tensor => tensor.Key, tensor => new TensorInfo(tensor.Value.Storage.Type, tensor.Value.Shape.AsReadOnly()));
    }

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, TensorInfo> Tensors
    {
        get
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            return _tensors;
        }
    }

    /// <summary>Whether a file starts as a zip does.</summary>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    public static bool IsZip(string path)
    {
        using MappedFile file = MappedFile.Open(path);
        return ZipDirectory.StartsLikeZip(file);
    }

    /// <summary>Maps a file into memory and reads its dictionary.</summary>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">The file is damaged, of another kind, or asks for more than tensors.</exception>
    public static new PickledFile Open(string path) => Open(path, tensorsIn: null);

    /// <summary>Maps a file into memory and reads its dictionary.</summary>
    /// <param name="path">The file.</param>
    /// <param name="tensorsIn">The entry that is a dictionary of the tensors, such as <c>weights</c>, where they may lie deeper; without
    /// such an entry they are the file's own dictionary.</param>
    /// <param name="howToConvert">What to do with a file that holds Python objects; null for what suits most.</param>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">The file is damaged, of another kind, or asks for more than tensors.</exception>
    public static PickledFile Open(string path, string? tensorsIn, string? howToConvert = null)
    {
        MappedFile file = MappedFile.Open(path);
        try
        {
            ZipDirectory zip = OpenZip(file, howToConvert);
            string root = FindRoot(zip, path);
            if (zip.Find(root + "byteorder") is { } byteOrder && !zip.Bytes(byteOrder, 16).SequenceEqual("little"u8))
                throw Invalid(path, "its numbers are big-endian; only little-endian files are read");
            if (zip.Find(root + "constants.pkl") is not null)
                throw Invalid(path, "it is a TorchScript program, not a dictionary of tensors; save the module's state_dict() instead");

            byte[] pickle = zip.Bytes(zip.Find(root + "data.pkl")!, MaximumPickleLength);
            object? value = new PickleReader(path, pickle, howToConvert).Read();
            if (value is not PickleDictionary dictionary)
                throw Invalid(path, $"it holds {PickleReader.Describe(value)}; expected a dictionary of tensors");
            bool areDeeper = tensorsIn is not null && dictionary.GetValueOrDefault(tensorsIn) is PickleDictionary;
            var tensors = TensorsOf(areDeeper ? (PickleDictionary)dictionary[tensorsIn!]! : dictionary, path);
            var storages = new Dictionary<string, Lazy<StoredData>>();
            foreach (PickledStorage storage in tensors.Values.Select(tensor => tensor.Storage).Distinct())
                storages.Add(storage.Key, FindStorage(zip, root, storage, path));
            return new PickledFile(file, dictionary, tensors, storages);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>A dictionary of plain data beside the tensors, such as a model's sizes; tuples are lists. Null where there is
    /// none.</summary>
    /// <param name="key">Its entry in the file's dictionary.</param>
    /// <exception cref="InvalidDataException">It holds what JSON has no word for.</exception>
    public JsonObject? DataOf(string key) => _root.GetValueOrDefault(key) is PickleDictionary data
        ? (JsonObject)new PickledData($"'{Location}': {key}").ToJson(data)! : null;

    /// <summary>A text beside the tensors, such as a version; null where there is none.</summary>
    /// <param name="key">Its entry in the file's dictionary.</param>
    public string? TextOf(string key) => _root.GetValueOrDefault(key) as string;

    /// <inheritdoc/>
    public override Tensor Read(string name)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (!_pickled.TryGetValue(name, out PickledTensor? tensor)) throw Missing(name);
        PickledStorage storage = tensor.Storage;
        StoredData data = _storages[storage.Key].Value;
        StoredData first = data with { Offset = data.Offset + tensor.Offset * storage.ElementSize };
        if (tensor.IsContiguous) return first.ToTensor(tensor.Shape, storage.Type, Location, name);

        // The stretch of the storage that the strides reach, and the tensor as a view of it.
        using Tensor stretch = first.ToTensor([tensor.Span], storage.Type, Location, name);
        return stretch.as_strided(tensor.Shape, tensor.Strides, 0);
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        _disposed = true;
        _file.Dispose();
        foreach (Lazy<StoredData> storage in _storages.Values)
        {
            if (storage.IsValueCreated) storage.Value.Owner.Dispose();
        }
    }

    private static ZipDirectory OpenZip(MappedFile file, string? howToConvert)
    {
        if (!ZipDirectory.StartsLikeZip(file))
        {
            throw Invalid(file.Path, "it is not a zip archive, as torch.save writes since PyTorch 1.6; the older format is not read. " +
                (howToConvert ?? PickleReader.HowToConvert));
        }
        return ZipDirectory.Read(file);
    }

    /// <summary>The folder inside the archive, with its slash: torch names it after the file.</summary>
    private static string FindRoot(ZipDirectory zip, string path)
    {
        string[] pickles = [.. zip.Names.Where(name => name.EndsWith("/data.pkl", StringComparison.Ordinal)
            && name.IndexOf('/', StringComparison.Ordinal) == name.Length - "/data.pkl".Length)];
        if (pickles is not [string pickle])
            throw Invalid(path, $"the archive holds {pickles.Length} entries FOLDER/data.pkl; torch.save writes one");
        return pickle[..^"data.pkl".Length];
    }

    private static Dictionary<string, PickledTensor> TensorsOf(PickleDictionary dictionary, string path)
    {
        var tensors = new Dictionary<string, PickledTensor>();
        foreach (var (key, item) in dictionary)
        {
            if (item is not PickledTensor tensor) continue;   // for example the number of the step
            if (key is not string name) throw Invalid(path, $"a tensor's name is {PickleReader.Describe(key)}; expected text");
            if (!PlainName.IsTensor(name)) throw Invalid(path, "a tensor's name has the character NUL in it");
            tensors.Add(name, tensor);
        }
        if (tensors.Count == 0)
        {
            string keys = string.Join(", ", dictionary.Keys.Take(10).Select(PickleReader.Describe));
            throw Invalid(path,
                $"its dictionary holds no tensors, but {(keys == "" ? "nothing" : keys)}; expected names and tensors at the top level");
        }
        return tensors;
    }

    private static Lazy<StoredData> FindStorage(ZipDirectory zip, string root, PickledStorage storage, string path)
    {
        string name = $"{root}data/{storage.Key}";
        ZipEntry entry = zip.Find(name) ?? throw Invalid(path, $"the entry '{name}' with the data of a tensor is missing");
        if (entry.Length / storage.ElementSize != storage.Count)
            throw Invalid(path, $"the entry '{name}' is {entry.Length} bytes long; expected {storage.Count} elements of {storage.Type}");
        return entry.IsDeflated
            ? new(() => new StoredData(zip.Inflate(entry), 0))
            : new(new StoredData(zip.File.Handle, entry.Offset));
    }

    private static InvalidDataException Invalid(string path, string problem) =>
        new($"'{path}' is not a file of weights that can be read: {problem}.");
}
