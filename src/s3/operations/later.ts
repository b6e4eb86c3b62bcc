/** Operations that are recognised and answered `NotImplemented`: each is part of a feature that the gateway lacks so far. */
import type { OperationSpec } from '../operation.ts';
import { byVersion } from './fields.ts';

export const LATER_OPERATIONS = {
  // The SDKs tell it from ListObjectAnnotations by `x-id` alone, which is a hint and routes nothing.
  GetObjectAnnotation: {
    method: 'GET',
    level: 'object',
    match: { query: ['annotation', 'annotationName'] },
    actions: byVersion('s3:GetObjectAnnotation', 's3:GetObjectVersionAnnotation'),
    handling: { later: 'object annotations' },
  },
  PutObjectAnnotation: {
    method: 'PUT',
    level: 'object',
    match: { query: ['annotation'] },
    actions: byVersion('s3:PutObjectAnnotation', 's3:PutObjectVersionAnnotation'),
    handling: { later: 'object annotations' },
  },
  DeleteObjectAnnotation: {
    method: 'DELETE',
    level: 'object',
    match: { query: ['annotation'] },
    actions: byVersion('s3:DeleteObjectAnnotation', 's3:DeleteObjectVersionAnnotation'),
    handling: { later: 'object annotations' },
  },
  ListObjectAnnotations: {
    method: 'GET',
    level: 'object',
    match: { query: ['annotation'] },
    actions: byVersion('s3:ListObjectAnnotations', 's3:ListObjectVersionAnnotations'),
    handling: { later: 'object annotations' },
  },
} as const satisfies Record<string, OperationSpec>;
