// Says what a package's page and a debugger would find wrong in packages, and exits with zero where that is nothing.
//   dotnet run eng/CheckPackages.cs -- FOLDER COMMIT REPOSITORY
// FOLDER holds the packages and their symbols, COMMIT is the one that they were packed from, in the checkout REPOSITORY.
using System.IO.Compression;
using System.Reflection.Metadata;
using System.Text;
using System.Text.RegularExpressions;
using System.Xml.Linq;

const int MostReleaseNotes = 35_000; // characters that nuget.org takes
var sourceLink = new Guid("CC110556-A091-4D38-9FEC-25AB9A351A6A"); // the Portable PDB format's kind of information

// Package, and the packages of this repository that it brings along.
var dependencies = new Dictionary<string, string[]>
{
    ["MLTransfer"] = ["MLTransfer.Models.Tales", "MLTransfer.Onnx", "MLTransfer.Torch"],
    ["MLTransfer.Extensions.AI"] = ["MLTransfer"],
    ["MLTransfer.Models.Shapes"] = [],
    ["MLTransfer.Models.Tales"] = [],
    ["MLTransfer.Models.TalesInfilling"] = [],
    ["MLTransfer.Models.Tunes"] = [],
    ["MLTransfer.Models.Voice"] = [],
    ["MLTransfer.Mpi"] = ["MLTransfer.Torch"],
    ["MLTransfer.Onnx"] = ["MLTransfer.Torch"],
    ["MLTransfer.Torch"] = [],
};
if (args is not [var folder, var commit, var repository])
    throw new ArgumentException("Say the folder of packages, the commit and the repository's folder.");
var changes = File.ReadAllText(Path.Combine(repository, "CHANGELOG.md"));
var notes = Regex.Match(changes, @"^## .+$", RegexOptions.Multiline).Value;
var earlierNotes = Regex.Matches(changes, @"^## .+$", RegexOptions.Multiline).Skip(1).Select(heading => heading.Value).ToList();

var faults = new List<string>();
var found = new List<string>();
foreach (var path in Directory.EnumerateFiles(folder, "*.nupkg").Order(StringComparer.Ordinal))
{
    using var package = ZipFile.OpenRead(path);
    var specification = package.Entries.Single(entry => entry.FullName.EndsWith(".nuspec", StringComparison.Ordinal));
    var metadata = XDocument.Parse(Text(specification)).Root!.Elements().Single(element => element.Name.LocalName == "metadata");
    XElement? Element(string name) => metadata.Elements().FirstOrDefault(element => element.Name.LocalName == name);
    string Value(string name) => Element(name)?.Value ?? "";
    var (id, version) = (Value("id"), Value("version"));
    found.Add(id);
    void Check(bool holds, string fault)
    {
        if (!holds)
            faults.Add($"{id}: {fault}");
    }

    ZipArchiveEntry? icon = package.GetEntry(Value("icon")), readme = package.GetEntry(Value("readme"));
    Check(icon is not null && Bytes(icon) is [0x89, (byte)'P', (byte)'N', (byte)'G', ..], "has no PNG as its icon.");
    Check(package.GetEntry("LICENSE") is not null && Value("license") == "MIT", "has no licence.");
    Check(Value("projectUrl").StartsWith("https://", StringComparison.Ordinal), "has no project URL.");
    var source = Element("repository");
    Check(source?.Attribute("type")?.Value == "git" && source.Attribute("url")?.Value == Value("projectUrl"), "has no repository URL.");
    Check(source?.Attribute("commit")?.Value == commit, $"is of commit '{source?.Attribute("commit")?.Value}', not {commit}.");
    Check(Value("releaseNotes").Contains(notes, StringComparison.Ordinal) && !earlierNotes.Any(Value("releaseNotes").Contains),
        $"does not have the release notes of '{notes}' alone.");
    Check(Value("releaseNotes").Length < MostReleaseNotes, "has release notes that nuget.org refuses.");

    Check(readme is not null, "has no readme.");
    var files = $"{Value("projectUrl")}/blob/{commit}/";
    foreach (Match link in Regex.Matches(readme is null ? "" : Text(readme), @"\]\((?<target>[^)\s]+)\)"))
    {
        var target = link.Groups["target"].Value;
        if (target.StartsWith(Value("projectUrl"), StringComparison.Ordinal))
        {
            var isThere = target.StartsWith(files, StringComparison.Ordinal)
                && File.Exists(Path.Combine(repository, target[files.Length..].Split('#')[0]));
            Check(isThere, $"its readme leads to '{target}', which is not there.");
        }
        else
        {
            var isAbsolute = target.StartsWith('#') || target.StartsWith("https://", StringComparison.Ordinal);
            Check(isAbsolute, $"its readme has the relative link '{target}'.");
        }
    }

    var own = metadata.Descendants().Where(element => element.Name.LocalName == "dependency")
        .Select(element => element.Attribute("id")!.Value)
        .Where(name => name.StartsWith("MLTransfer", StringComparison.Ordinal)).Order(StringComparer.Ordinal);
    Check(dependencies.TryGetValue(id, out var expected) && own.SequenceEqual(expected), $"brings along {string.Join(", ", own)}.");

    using var symbols = ZipFile.OpenRead(Path.ChangeExtension(path, ".snupkg"));
    foreach (var entry in symbols.Entries.Where(entry => entry.Name.EndsWith(".pdb", StringComparison.Ordinal)))
    {
        using var provider = MetadataReaderProvider.FromPortablePdbStream(new MemoryStream(Bytes(entry)));
        var reader = provider.GetMetadataReader();
        var maps = reader.CustomDebugInformation.Select(reader.GetCustomDebugInformation)
            .Where(information => reader.GetGuid(information.Kind) == sourceLink)
            .Select(information => Encoding.UTF8.GetString(reader.GetBlobBytes(information.Value))).ToList();
        Check(maps is [var map] && map.Contains(commit, StringComparison.Ordinal), $"{entry.Name} does not say where its sources are.");
    }

    Check(symbols.Entries.Any(entry => entry.Name == id + ".pdb"), "has no symbols.");
    Console.WriteLine($"{id} {version}: {new FileInfo(path).Length / 1e6:F1} MB");
}

foreach (var id in dependencies.Keys.Except(found))
    faults.Add($"{id} was not packed.");
faults.ForEach(Console.Error.WriteLine);
return faults.Count == 0 ? 0 : 1;

static byte[] Bytes(ZipArchiveEntry entry)
{
    using var stream = entry.Open();
    using var copy = new MemoryStream();
    stream.CopyTo(copy);
    return copy.ToArray();
}

static string Text(ZipArchiveEntry entry) => Encoding.UTF8.GetString(Bytes(entry)).TrimStart('\uFEFF');
