// Compiled by MSBuild's RoslynCodeTaskFactory: one file, netstandard2.0 and System.Reflection.Metadata only.
#nullable enable
using System;
using System.IO;
using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using System.Reflection.PortableExecutable;
using Microsoft.Build.Framework;

namespace MLTransfer.Build;

/// <summary>Copies assemblies and makes their internal types and members public in the copy. Private ones stay private.</summary>
public sealed class PublicizeAssembly : Microsoft.Build.Utilities.Task
{
    /// <summary>The assemblies; each has the metadata <c>PublicizedPath</c>, where its copy goes.</summary>
    [Required]
    public ITaskItem[] Assemblies { get; set; } = Array.Empty<ITaskItem>();

    /// <inheritdoc/>
    public override bool Execute()
    {
        foreach (ITaskItem assembly in Assemblies)
        {
            string source = assembly.GetMetadata("FullPath");
            string destination = assembly.GetMetadata("PublicizedPath");
            try
            {
                byte[] content = File.ReadAllBytes(source);
                Publicize(content);
                Directory.CreateDirectory(Path.GetDirectoryName(destination)!);
                File.WriteAllBytes(destination, content);
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or BadImageFormatException)
            {
                Log.LogError("No publicized copy of '{0}' can be written to '{1}': {2}", source, destination, exception.Message);
            }
        }
        return !Log.HasLoggedErrors;
    }

    /// <summary>Rewrites the visibility bits in the metadata tables of ECMA-335 II.22, in place.</summary>
    private static void Publicize(byte[] assembly)
    {
        using var image = new PEReader(new MemoryStream(assembly, writable: false));
        MetadataReader metadata = image.GetMetadataReader();
        int start = image.PEHeaders.MetadataStartOffset;

        // TypeDef: the flags are the first four bytes of a row. MethodDef: they follow the four bytes of the code's address. Field: they
        // come first.
        ForEachRow(
            TableIndex.TypeDef, row => SetLowBits(row, (int)TypeAttributes.VisibilityMask, (int)Public((TypeAttributes)assembly[row])));
        ForEachRow(TableIndex.MethodDef,
            row => SetLowBits(row + 6, (int)MethodAttributes.MemberAccessMask, (int)Public((MethodAttributes)assembly[row + 6])));
        ForEachRow(
            TableIndex.Field, row => SetLowBits(row, (int)FieldAttributes.FieldAccessMask, (int)Public((FieldAttributes)assembly[row])));

        void ForEachRow(TableIndex table, Action<int> rewrite)
        {
            int offset = start + metadata.GetTableMetadataOffset(table);
            int size = metadata.GetTableRowSize(table);
            for (int row = 0; row < metadata.GetTableRowCount(table); row++)
                rewrite(offset + row * size);
        }

        // The visibility is the low three bits of little-endian flags.
        void SetLowBits(int offset, int mask, int value) => assembly[offset] = (byte)(assembly[offset] & ~mask | value);
    }

    private static TypeAttributes Public(TypeAttributes flags) => (flags & TypeAttributes.VisibilityMask) switch
    {
        TypeAttributes.NotPublic => TypeAttributes.Public,
        TypeAttributes.NestedAssembly or TypeAttributes.NestedFamORAssem => TypeAttributes.NestedPublic,
        TypeAttributes.NestedFamANDAssem => TypeAttributes.NestedFamily,
        TypeAttributes unchanged => unchanged,
    };

    private static MethodAttributes Public(MethodAttributes flags) => (flags & MethodAttributes.MemberAccessMask) switch
    {
        MethodAttributes.Assembly or MethodAttributes.FamORAssem => MethodAttributes.Public,
        MethodAttributes.FamANDAssem => MethodAttributes.Family,
        MethodAttributes unchanged => unchanged,
    };

    private static FieldAttributes Public(FieldAttributes flags) => (flags & FieldAttributes.FieldAccessMask) switch
    {
        FieldAttributes.Assembly or FieldAttributes.FamORAssem => FieldAttributes.Public,
        FieldAttributes.FamANDAssem => FieldAttributes.Family,
        FieldAttributes unchanged => unchanged,
    };
}
